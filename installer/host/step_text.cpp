#include <fmt/ranges.h>

#include "installer/host/step.hpp"
#include "lib/base/progress.hpp"

namespace sealift::installer {

namespace {

std::string one_line(std::string text, std::size_t limit) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  if (text.size() > limit) text = text.substr(0, limit - 1) + "…";
  return text;
}

struct Describe {
  std::string operator()(const WriteFile& step) const {
    return fmt::format("write {} ({:04o}, {})", step.path, step.mode,
                       step.secrecy == Secrecy::secret ? "secret" : format_bytes(step.content.size()));
  }
  std::string operator()(const FetchFile& step) const {
    return fmt::format("fetch {} ({}, {})", step.path, format_bytes(step.from.size),
                       step.from.digest.short_hex());
  }
  std::string operator()(const UnpackArchive& step) const {
    return fmt::format("unpack an archive into {} ({}, {})", step.directory, format_bytes(step.from.size),
                       step.from.digest.short_hex());
  }
  std::string operator()(const RemovePath& step) const { return fmt::format("remove {}", step.path); }
  std::string operator()(const MakeDirectory& step) const {
    return fmt::format("make the directory {} ({:04o})", step.path, step.mode);
  }
  std::string operator()(const Symlink& step) const {
    return fmt::format("link {} to {}", step.path, step.target);
  }
  std::string operator()(const FileBlock& step) const {
    return fmt::format("{} our block \"{}\" in {}", step.content.empty() ? "remove" : "write", step.name,
                       step.path);
  }
  std::string operator()(const KernelModules& step) const {
    return fmt::format("load the kernel modules {} ({})", fmt::join(step.modules, ", "), step.file);
  }
  std::string operator()(const Sysctl& step) const {
    return fmt::format("set {} kernel settings ({})", step.values.size(), step.file);
  }
  std::string operator()(const SwapOff&) const { return "switch swap off"; }
  std::string operator()(const SetHostname& step) const {
    return fmt::format("set the host name {}", step.name);
  }
  std::string operator()(const InstallPackages& step) const {
    std::vector<std::string> names;
    for (const Package& package : step.packages) names.push_back(package.name);
    return one_line(fmt::format("install {} packages: {}", names.size(), fmt::join(names, " ")), 160);
  }
  std::string operator()(const SystemdUnit& step) const {
    std::vector<std::string> words;
    if (step.enabled != Wanted::leave) words.emplace_back(step.enabled == Wanted::yes ? "enable" : "disable");
    if (step.active != Wanted::leave) words.emplace_back(step.active == Wanted::yes ? "start" : "stop");
    return fmt::format("{} {}", fmt::join(words, " and "), step.unit);
  }
  std::string operator()(const Run& step) const {
    return one_line(fmt::format("run {}", fmt::join(step.arguments, " ")), 160);
  }
  std::string operator()(const Capture& step) const {
    return one_line(fmt::format("ask {}", fmt::join(step.arguments, " ")), 160);
  }
  std::string operator()(const ReadFile& step) const { return fmt::format("read {}", step.path); }
  std::string operator()(const WaitFor& step) const {
    return fmt::format("wait until {} (at most {} s)", std::visit(*this, step.condition),
                       step.deadline.count());
  }
  std::string operator()(const TcpReachable& condition) const {
    return fmt::format("{} port {} accepts connections", condition.address, condition.port);
  }
  std::string operator()(const HttpAnswers& condition) const {
    return fmt::format("{} answers {}", condition.url, condition.status);
  }
  std::string operator()(const FileExists& condition) const {
    return fmt::format("{} exists", condition.path);
  }
  std::string operator()(const CommandSucceeds& condition) const {
    return one_line(fmt::format("`{}` succeeds", fmt::join(condition.arguments, " ")), 120);
  }
};

}  // namespace

std::string describe(const Action& action) { return std::visit(Describe{}, action); }

}  // namespace sealift::installer
