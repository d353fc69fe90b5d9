#include "tests/integration/apt/apt_client.hpp"

#include <algorithm>

#include "lib/pkgrepo/apt/deb822.hpp"

namespace sealift::test {

Result<AptClient> AptClient::create(const std::string& status, const std::string& sources,
                                    const std::string& architecture) {
  TRY_ASSIGN(auto temporary, TemporaryDirectory::create("apt-client"));
  AptClient client(std::move(temporary));
  const fs::path root = client.directory();
  for (const char* folder :
       {"etc/apt/apt.conf.d", "etc/apt/preferences.d", "state/lists/partial", "cache/archives/partial"}) {
    TRY(sealift::create_directories(root / folder));
  }
  TRY(write_file_atomically(root / "status", status));
  TRY(write_file_atomically(root / "etc/apt/sources.list", sources));
  TRY(write_file_atomically(
      root / "apt.conf",
      fmt::format("Dir \"{0}/\";\nDir::Etc \"{0}/etc/apt/\";\nDir::Etc::sourceparts \"-\";\n"
                  "Dir::State \"{0}/state/\";\nDir::State::status \"{0}/status\";\n"
                  "Dir::Cache \"{0}/cache/\";\nDir::Bin::dpkg \"/usr/bin/dpkg\";\n"
                  "APT::Architecture \"{1}\";\nAPT::Architectures {{ \"{1}\"; }};\n"
                  "APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"root\";\n"
                  "Acquire::Languages \"none\";\nAcquire::Retries \"3\";\n"
                  "Debug::NoLocking \"true\";\n",
                  root.string(), architecture)));
  return client;
}

CommandOutput AptClient::get(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "apt-get");
  return tool(std::move(arguments));
}

CommandOutput AptClient::tool(std::vector<std::string> arguments) const {
  Command command;
  command.arguments = {"sh", "-c", "cd \"$0\" && exec \"$@\"", directory().string()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = {{"APT_CONFIG", (directory() / "apt.conf").string()}, {"LC_ALL", "C"}};
  command.output_limit_bytes = 512U << 20;
  auto output = run(command);
  if (!output) return {255, "", output.error().message()};
  return *output;
}

namespace {

template <typename Take>
void for_each_line(const std::string& output, std::string_view first_word, Take take) {
  std::string_view rest = output;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto parts = pkgrepo::apt::words(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (parts.size() > 1 && parts[0] == first_word) take(parts);
  }
}

}  // namespace

std::map<std::string, std::string> simulated_installs(const std::string& output) {
  std::map<std::string, std::string> installs;
  for_each_line(output, "Inst", [&](const auto& parts) {
    // "Inst name [old] (new Origin:Suite [arch])" or without the old version
    for (const auto part : parts) {
      if (part.starts_with('(')) installs.emplace(parts[1], part.substr(1));
    }
  });
  return installs;
}

std::set<std::string> simulated_removals(const std::string& output) {
  std::set<std::string> removals;
  for_each_line(output, "Remv", [&](const auto& parts) { removals.emplace(parts[1]); });
  return removals;
}

}  // namespace sealift::test
