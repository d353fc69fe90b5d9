#include "tests/integration/apt/machine_sources.hpp"

#include <algorithm>

#include "lib/base/files.hpp"
#include "lib/base/process.hpp"
#include "lib/pkgrepo/apt/deb822.hpp"

namespace sealift::test {
namespace {

using pkgrepo::apt::words;

constexpr const char* kDebianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr std::uint64_t kMaxSourcesBytes = 1U << 20;

std::vector<std::string> strings(std::string_view text) {
  const auto parts = words(text);
  return {parts.begin(), parts.end()};
}

/// sources.list(5) allows comments, which the formats of repositories do not.
std::string without_comments(const std::string& text) {
  std::string kept;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.starts_with('#')) kept += fmt::format("{}\n", line);
  }
  return kept;
}

/// Deb822 style: Types, URIs, Suites, Components, Signed-By.
void add_deb822(const std::string& text, std::vector<bundle::RepositorySpec>& repositories) {
  pkgrepo::apt::StanzaReader reader(text, "sources");
  for (;;) {
    const auto stanza = reader.next();
    if (!stanza || *stanza == nullptr) return;
    const auto types = strings((*stanza)->get("Types"));
    if (std::find(types.begin(), types.end(), "deb") == types.end()) continue;
    for (const std::string& uri : strings((*stanza)->get("URIs"))) {
      repositories.push_back({uri, strings((*stanza)->get("Suites")), strings((*stanza)->get("Components")),
                              std::string((*stanza)->get("Signed-By"))});
    }
  }
}

/// "deb [signed-by=… arch=…] uri suite component…"
void add_one_line(const std::string& text, std::vector<bundle::RepositorySpec>& repositories) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto parts = strings(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (parts.size() < 4 || parts[0] != "deb") continue;
    std::string keyring = kDebianKeyring;
    std::size_t at = 1;
    if (parts[at].starts_with('[')) {
      for (bool more = true; more && at < parts.size(); ++at) {
        more = !parts[at].ends_with(']');
        const auto key = parts[at].find("signed-by=");
        if (key == std::string::npos) continue;
        keyring = parts[at].substr(key + 10);
        if (keyring.ends_with(']')) keyring.pop_back();
      }
    }
    if (parts.size() < at + 3) continue;
    repositories.push_back(
        {parts[at], {parts[at + 1]}, {parts.begin() + static_cast<long>(at) + 2, parts.end()}, keyring});
  }
}

}  // namespace

std::vector<bundle::RepositorySpec> machine_repositories() {
  std::vector<bundle::RepositorySpec> found;
  std::vector<fs::path> files{"/etc/apt/sources.list"};
  std::error_code error;
  for (fs::directory_iterator entry("/etc/apt/sources.list.d", error), end; !error && entry != end;
       entry.increment(error)) {
    files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const auto text = read_file(file, kMaxSourcesBytes);
    if (!text) continue;
    if (file.extension() == ".sources") add_deb822(without_comments(*text), found);
    if (file.extension() == ".list") add_one_line(*text, found);
  }
  std::erase_if(
      found, [](const bundle::RepositorySpec& repository) { return repository.keyring != kDebianKeyring; });
  return found;
}

Result<std::string> download_with_curl(const std::string& url, std::uint64_t limit_bytes) {
  Command command;
  command.arguments = {"curl",
                       "--silent",
                       "--show-error",
                       "--fail",
                       "--location",
                       "--retry",
                       "3",
                       "--max-time",
                       "300",
                       "--max-filesize",
                       std::to_string(limit_bytes),
                       url};
  command.output_limit_bytes = limit_bytes;
  TRY_ASSIGN(auto output, run(command));
  if (output.exit_code == 22 && output.err.find("404") != std::string::npos) {
    return fail(ErrorCode::not_found, "{}: {}", url, output.err);
  }
  if (output.exit_code == 37)
    return fail(ErrorCode::not_found, "{}: {}", url, output.err);  // file: without such a file
  if (!output.ok()) return fail(ErrorCode::network, "{}: {}", url, output.err);
  return std::move(output.out);
}

std::string sources_list(const std::vector<bundle::RepositorySpec>& repositories) {
  std::string text;
  for (const auto& repository : repositories) {
    for (const std::string& suite : repository.suites) {
      text += fmt::format("deb [signed-by={}] {} {} {}\n", repository.keyring, repository.url, suite,
                          fmt::join(repository.components, " "));
    }
  }
  return text;
}

std::string why_unreachable(const std::vector<bundle::RepositorySpec>& repositories) {
  if (repositories.empty()) return "no Debian repository is configured in /etc/apt";
  const auto& first = repositories.front();
  const auto release =
      download_with_curl(fmt::format("{}/dists/{}/InRelease", first.url, first.suites.front()), 16U << 20);
  return release ? "" : fmt::format("no network: {}", release.error().message());
}

}  // namespace sealift::test
