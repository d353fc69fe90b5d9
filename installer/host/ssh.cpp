#include "installer/host/ssh.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <regex>

#include <elf.h>
#include <unistd.h>

#include "installer/host/agent_session.hpp"
#include "installer/host/channel.hpp"
#include "installer/host/ssh_errors.hpp"
#include "lib/base/process.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::installer {

namespace {

/// The one shell text that ever runs on a host. $1 is what to do, $2 the directory, $3 the agent's digest, $4
/// a root for tests. It holds no single quote, so that every login shell passes it on as it is.
constexpr std::string_view kBootstrap =
    "umask 077; d=$2; f=$d/sealift-$3; "
    "case $1 in "
    "hold) echo \"sealift $(id -u) $(uname -m)\"; exec cat >/dev/null;; "
    "probe) if [ -f \"$f\" ] && [ \"$(sha256sum <\"$f\" | cut -c1-64)\" = \"$3\" ]; then echo present; else "
    "echo absent; fi;; "
    "upload) mkdir -p \"$d\" && chmod 700 \"$d\" && cat >\"$f.$$\" && "
    "if [ \"$(sha256sum <\"$f.$$\" | cut -c1-64)\" = \"$3\" ]; then chmod 700 \"$f.$$\" && mv -f \"$f.$$\" "
    "\"$f\" && "
    "for o in \"$d\"/sealift-*; do [ \"$o\" = \"$f\" ] || rm -f \"$o\"; done; echo stored; "
    "else rm -f \"$f.$$\"; echo damaged; fi;; "
    "run) exec \"$f\" agent ${4:+--root \"$4\"};; "
    "esac";

constexpr std::uint64_t kMaxProgram = 512ULL << 20;

/// For the far shell: only what needs no quoting is let through.
Status check_word(std::string_view word, std::string_view what) {
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") ==
      std::string_view::npos) {
    return {};
  }
  return fail(ErrorCode::invalid_argument, "{} {:?} has a character that a remote command line cannot carry",
              what, word);
}

class SshTransport final : public Transport {
 public:
  SshTransport(SshOptions options, AgentProgram program, std::string content, Digest digest,
               TemporaryDirectory sockets)
      : options_(std::move(options)),
        program_(std::move(program)),
        content_(std::move(content)),
        digest_(std::move(digest)),
        sockets_(std::move(sockets)) {}

  Result<std::unique_ptr<Session>> connect(const HostAddress& host) override;

 private:
  std::vector<std::string> ssh(const HostAddress& host, std::initializer_list<std::string> more) const;
  std::string bootstrap(std::string_view verb, bool sudo) const;
  Result<std::string> remote(const HostAddress& host, std::string_view verb, bool sudo,
                             std::string input) const;
  /// Rerun with -v only to learn the key that the host offers.
  std::string offered_key(const HostAddress& host) const;
  Status ensure_agent(const HostAddress& host, bool sudo) const;

  SshOptions options_;
  AgentProgram program_;
  std::string content_;
  Digest digest_;
  TemporaryDirectory sockets_;
};

/// Keeps the shared connection open as long as the agent's session lives.
class SshSession final : public Session {
 public:
  SshSession(std::unique_ptr<Channel> connection, std::unique_ptr<Session> agent)
      : connection_(std::move(connection)), agent_(std::move(agent)) {}
  Status hold(const StepEventHandler& handler) override { return agent_->hold(handler); }
  Result<Facts> facts(const FactsRequest& request) override { return agent_->facts(request); }
  Status run(const Owner& owner, const std::vector<Step>& steps, StepMode mode,
             const StepEventHandler& handler) override {
    return agent_->run(owner, steps, mode, handler);
  }
  void cancel() override { agent_->cancel(); }

 private:
  std::unique_ptr<Channel> connection_;  // outlives the agent's session, which it carries
  std::unique_ptr<Session> agent_;
};

const std::map<std::string, std::string> kEnvironment = {{"LC_ALL", "C"}};

std::vector<std::string> SshTransport::ssh(const HostAddress& host,
                                           std::initializer_list<std::string> more) const {
  std::vector<std::string> arguments = {"ssh", "-T", "-e", "none"};
  const auto option = [&](std::string text) { arguments.insert(arguments.end(), {"-o", std::move(text)}); };
  if (!options_.config_file.empty()) arguments.insert(arguments.end(), {"-F", options_.config_file});
  option("BatchMode=yes");
  option("StrictHostKeyChecking=yes");
  option(fmt::format("ControlPath={}/{}", sockets_.path().string(), digest_of(host.name).short_hex()));
  option("ControlPersist=no");
  option(fmt::format("ConnectTimeout={}", options_.connect_timeout_s));
  option("ServerAliveInterval=15");
  option("ServerAliveCountMax=4");
  option("ForwardAgent=no");
  option("ForwardX11=no");
  option("ClearAllForwardings=yes");
  option("PermitLocalCommand=no");
  option("RemoteCommand=none");
  option("RequestTTY=no");
  option("UpdateHostKeys=no");
  if (!options_.user.empty()) arguments.insert(arguments.end(), {"-l", options_.user});
  if (options_.port != 0) arguments.insert(arguments.end(), {"-p", std::to_string(options_.port)});
  if (!options_.identity_file.empty()) {
    arguments.insert(arguments.end(), {"-i", options_.identity_file});
    option("IdentitiesOnly=yes");
  }
  if (!options_.known_hosts_file.empty()) option("UserKnownHostsFile=" + options_.known_hosts_file);
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.insert(arguments.end(), {"--", host.address});
  return arguments;
}

std::string SshTransport::bootstrap(std::string_view verb, bool sudo) const {
  std::string line = fmt::format("{}sh -c '{}' sealift {} {} {}", sudo ? "sudo -n " : "", kBootstrap, verb,
                                 options_.remote_directory, digest_.hex());
  if (!options_.remote_root.empty()) line += " " + options_.remote_root;
  return line;
}

Result<std::string> SshTransport::remote(const HostAddress& host, std::string_view verb, bool sudo,
                                         std::string input) const {
  Command command{.arguments = ssh(host, {"-o", "ControlMaster=no"}),
                  .input = std::move(input),
                  .environment = kEnvironment};
  command.arguments.push_back(bootstrap(verb, sudo));
  command.deadline = std::chrono::minutes(10);
  TRY_ASSIGN(CommandOutput output, run(command));
  if (output.ok()) return std::move(output.out);
  return ssh_error(host, sudo, output.err.empty() ? output.out : output.err, "");
}

std::string SshTransport::offered_key(const HostAddress& host) const {
  Command command{.arguments = ssh(host, {"-v", "-o", "ControlMaster=no", "-o", "ControlPath=none"}),
                  .input = {},
                  .environment = kEnvironment};
  command.arguments.emplace_back("true");
  command.deadline = std::chrono::seconds(options_.connect_timeout_s + 5);
  const auto output = run(command);
  if (!output) return {};
  static const std::regex pattern("Server host key: (\\S+ \\S+)");
  std::smatch match;
  return std::regex_search(output->err, match, pattern) ? match[1].str() : "";
}

Status SshTransport::ensure_agent(const HostAddress& host, bool sudo) const {
  TRY_ASSIGN(const std::string present, remote(host, "probe", sudo, {}));
  if (present.find("present") != std::string::npos) return {};
  TRY_ASSIGN(const std::string stored, remote(host, "upload", sudo, content_));
  if (stored.find("stored") != std::string::npos) return {};
  return fail(ErrorCode::integrity, "the agent arrived damaged on {}: {:?}", host.name,
              stored.substr(0, 200));
}

Result<std::unique_ptr<Session>> SshTransport::connect(const HostAddress& host) {
  if (host.address.empty() || host.address.front() == '-') {
    return fail(ErrorCode::invalid_argument, "the host {} has the bad address {:?}", host.name, host.address);
  }
  std::vector<std::string> arguments = ssh(host, {"-o", "ControlMaster=yes"});
  arguments.push_back(bootstrap("hold", false));
  // A killed installer closes this command's input: it ends, and with it the shared connection.
  TRY_ASSIGN(auto connection, start_channel(arguments, kEnvironment));
  std::string machine;
  unsigned uid = 0;
  static const std::regex greeting("sealift ([0-9]+) (\\S+)");
  for (;;) {
    TRY_ASSIGN(const std::optional<std::string> line,
               within(connection->receive(std::chrono::seconds(options_.connect_timeout_s + 20)),
                      "connecting to " + host.name));
    if (!line) {
      const std::string said = connection->diagnosis();
      return ssh_error(host, false, said, is_host_key_problem(said) ? offered_key(host) : "");
    }
    std::smatch match;
    if (!std::regex_match(*line, match, greeting)) continue;  // what a login script has to say
    uid = static_cast<unsigned>(std::stoul(match[1].str().substr(0, 9)));
    machine = match[2].str();
    break;
  }
  if (machine != program_.machine) {
    return fail(ErrorCode::unsupported, "{} is a {} machine, but the agent {} is a program for {}", host.name,
                machine, program_.path.string(), program_.machine);
  }
  const bool sudo = uid != 0;
  TRY(ensure_agent(host, sudo));
  std::vector<std::string> agent = ssh(host, {"-o", "ControlMaster=no"});
  agent.push_back(bootstrap("run", sudo));
  TRY_ASSIGN(auto channel, start_channel(agent, kEnvironment));
  TRY_ASSIGN(auto session, open_session(std::move(channel), host.name, digest_.str()));
  return std::make_unique<SshSession>(std::move(connection), std::move(session));
}

}  // namespace

Result<AgentProgram> find_agent_program(const fs::path& path) {
  AgentProgram program{path.empty() ? fs::path("/proc/self/exe") : path, {}};
  TRY_ASSIGN(const FileDescriptor file, open_for_reading(program.path));
  Elf64_Ehdr header{};
  const Status read = read_exactly_at(file, 0, std::as_writable_bytes(std::span(&header, 1)));
  if (!read || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return fail(ErrorCode::invalid_argument, "{} is not a program", program.path.string());
  }
  switch (header.e_machine) {
    case EM_X86_64:
      program.machine = "x86_64";
      break;
    case EM_AARCH64:
      program.machine = "aarch64";
      break;
    default:
      return fail(ErrorCode::unsupported, "{} is a program for an unknown machine", program.path.string());
  }
  return program;
}

Result<std::unique_ptr<Transport>> make_ssh_transport(const SshOptions& options,
                                                      const AgentProgram& program) {
  TRY(check_word(options.remote_directory, "the agent's directory"));
  TRY(check_word(options.remote_root, "the root"));
  TRY_ASSIGN(std::string content, read_file(program.path, kMaxProgram));
  Digest digest = digest_of(content);
  TRY_ASSIGN(TemporaryDirectory sockets, TemporaryDirectory::create("sealift-ssh"));
  return std::make_unique<SshTransport>(options, program, std::move(content), std::move(digest),
                                        std::move(sockets));
}

}  // namespace sealift::installer
