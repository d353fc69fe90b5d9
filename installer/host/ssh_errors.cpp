#include "installer/host/ssh_errors.hpp"

#include <sstream>

namespace sealift::installer {

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// ssh's message without its frame of '@' and on one line.
std::string quoted(const std::string& said) {
  std::string result;
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.starts_with("@@@")) continue;
    if (line.starts_with("@ ")) line = line.substr(2, line.find_last_not_of("@ ") - 1);
    result += (result.empty() ? "" : " ") + line;
  }
  if (result.size() > 900) result = result.substr(0, 900) + "…";
  return result.empty() ? "ssh said nothing" : result;
}

}  // namespace

bool is_host_key_problem(const std::string& said) {
  return has(said, "Host key verification failed") || has(said, "host key is known") ||
         has(said, "IDENTIFICATION HAS CHANGED");
}

tl::unexpected<Error> ssh_error(const HostAddress& host, bool sudo, const std::string& said,
                                const std::string& offered_key) {
  const std::string where =
      host.name == host.address ? host.name : fmt::format("{} ({})", host.name, host.address);
  const std::string offered = offered_key.empty() ? "" : fmt::format(" The host offers {}.", offered_key);
  if (has(said, "IDENTIFICATION HAS CHANGED")) {
    return fail(ErrorCode::authentication,
                "the host key of {} is not the one known for it.{} Somebody may be answering in its place. "
                "If it was reinstalled, compare "
                "this with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its console, then remove "
                "the old key with `ssh-keygen "
                "-R {}` and add the new one. ssh: {}",
                where, offered, host.address, quoted(said));
  }
  if (is_host_key_problem(said)) {
    return fail(ErrorCode::authentication,
                "the host key of {} is not known here.{} Compare it with `ssh-keygen -lf "
                "/etc/ssh/ssh_host_ed25519_key.pub` on its console; "
                "if they are the same, add it with `ssh-keyscan {} >> ~/.ssh/known_hosts`. ssh: {}",
                where, offered, host.address, quoted(said));
  }
  if (has(said, "sudo:") || (sudo && has(said, "not found") && has(said, "sudo"))) {
    return fail(ErrorCode::precondition,
                "the user on {} is not root and may not become root without a password: {}; allow it "
                "(NOPASSWD in sudoers) or log in as "
                "root",
                where, quoted(said));
  }
  if (has(said, "Permission denied (")) {
    return fail(ErrorCode::authentication,
                "{} refuses our login: {}; check ssh.user and ssh.identity in cluster.yaml, or load the "
                "key into the ssh agent (no "
                "password is ever asked for)",
                where, quoted(said));
  }
  if (has(said, "Permission denied")) {
    return fail(ErrorCode::precondition,
                "the agent cannot be put or started on {}: {}; is /var/lib mounted noexec or read-only?",
                where, quoted(said));
  }
  if (has(said, "No space left"))
    return fail(ErrorCode::no_space, "the disk of {} is full: {}", where, quoted(said));
  return fail(ErrorCode::network, "{} cannot be reached over ssh: {}", where, quoted(said));
}

}  // namespace sealift::installer
