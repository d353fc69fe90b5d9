// Debian packages from our repository only; the machine's own sources are neither read nor changed.
#include <chrono>
#include <sstream>

#include <fmt/ranges.h>

#include "installer/host/child.hpp"
#include "installer/host/dpkg.hpp"
#include "installer/host/steps/apt_guards.hpp"
#include "installer/host/steps/kinds.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

const char* const kDirectory = kAptDirectory;

std::vector<std::string> apt_options(const InstallPackages& wish) {
  std::vector<std::string> options = {"-q", "-y",
                                      "-o", fmt::format("Dir::Etc::sourcelist={}/sealift.list", kDirectory),
                                      "-o", fmt::format("Dir::Etc::sourceparts={}/none", kDirectory),
                                      "-o", "Dir::Etc::preferences=/dev/null",
                                      "-o", fmt::format("Dir::Etc::preferencesparts={}/none", kDirectory),
                                      "-o", fmt::format("Dir::State::lists={}/lists", kDirectory),
                                      "-o", fmt::format("Dir::Cache={}/cache", kDirectory),
                                      "-o", "APT::Get::List-Cleanup=0",
                                      "-o", "Acquire::Languages=none",
                                      "-o", "Acquire::Retries=2",
                                      "-o", "Acquire::http::Timeout=15",
                                      "-o", "Acquire::https::Timeout=15",
                                      "-o", "Acquire::http::Proxy=false",
                                      "-o", "Acquire::https::Proxy=false",
                                      "-o", "Acquire::AllowInsecureRepositories=false",
                                      "-o", "APT::Get::AllowUnauthenticated=false",
                                      "-o", "DPkg::Lock::Timeout=120",
                                      "-o", "DPkg::Use-Pty=0",
                                      "-o", "Dpkg::Options::=--force-confdef",
                                      "-o", "Dpkg::Options::=--force-confold"};
  if (!wish.ca_pem.empty()) {
    options.insert(options.end(), {"-o", fmt::format("Acquire::https::CaInfo={}/ca.pem", kDirectory)});
  }
  return options;
}

Child apt(const StepContext& context, const InstallPackages& wish,
          std::initializer_list<std::string_view> verb) {
  Child child;
  child.arguments = {"apt-get"};
  for (std::string& option : apt_options(wish)) child.arguments.push_back(std::move(option));
  for (const std::string_view word : verb) child.arguments.emplace_back(word);
  child.environment = {{"DEBIAN_FRONTEND", "noninteractive"},
                       {"NEEDRESTART_SUSPEND", "1"},
                       {"APT_LISTCHANGES_FRONTEND", "none"},
                       {"DEBIAN_PRIORITY", "critical"}};
  child.timeout = std::chrono::minutes(30);
  child.on_line = [&context](std::string_view line) { context.output(line); };
  return child;
}

/// apt's "E: …" lines and its complaints about signatures, which say more than its last line.
std::string apt_errors(const ChildResult& result) {
  std::string errors;
  for (const std::string* text : {&result.err, &result.out}) {
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("E:") || line.find("GPG error") != std::string::npos)
        errors += (errors.empty() ? "" : "; ") + line;
    }
  }
  return errors.empty() ? last_words(result) : errors;
}

Status update_lists(const StepContext& context, const InstallPackages& wish) {
  const std::string directory(kDirectory);
  TRY(create_directories(directory + "/none", 0755));
  TRY(create_directories(directory + "/lists/partial", 0755));
  TRY(create_directories(directory + "/cache/archives/partial", 0755));
  TRY(write_file_atomically(directory + "/key.asc", wish.key, 0644));
  if (!wish.ca_pem.empty()) TRY(write_file_atomically(directory + "/ca.pem", wish.ca_pem, 0644));
  std::string errors;
  ErrorCode code = ErrorCode::network;
  for (const std::string& url : wish.repository_urls) {
    TRY(write_file_atomically(
        directory + "/sealift.list",
        fmt::format("deb [signed-by={}/key.asc] {} {} {}\n", directory, url, wish.suite, wish.component),
        0644));
    Child child = apt(context, wish, {"-o", "APT::Update::Error-Mode=any", "update"});
    TRY_ASSIGN(const ChildResult result, run_child(child));
    // Older versions of apt only warn when an index cannot be had, and go on with what they have.
    const bool warned = result.err.find("W: Failed to fetch") != std::string::npos ||
                        result.err.find("NO_PUBKEY") != std::string::npos;
    if (result.exit_code == 0 && !warned) return {};
    const std::string said = apt_errors(result);
    if (said.find("not signed") != std::string::npos || said.find("GPG error") != std::string::npos)
      code = ErrorCode::untrusted;
    errors += fmt::format("{}{}: {}", errors.empty() ? "" : "; ", url, said);
  }
  return fail(code, "no mirror gives a valid package list: {}", errors);
}

struct Simulation {
  std::vector<std::string> fresh;  ///< not installed before
  std::vector<std::string> upgraded;
  std::vector<std::string> removed;
};

/// "Inst nginx (1.22 …)", "Inst libc6 [2.36-9] (2.36-10 …)", "Remv foo [1.0]"
Simulation parse_simulation(const std::string& text) {
  Simulation result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string verb;
    std::string name;
    std::string rest;
    words >> verb >> name >> rest;
    if (verb == "Remv" || verb == "Purg") result.removed.push_back(name);
    if (verb == "Inst") (rest.starts_with('[') ? result.upgraded : result.fresh).push_back(name);
  }
  return result;
}

/// A security update made it newer than the bundle: as good, and apt would not go back.
bool is_newer(const std::string& installed, const std::string& wanted) {
  const auto compared = run_child({.arguments = {"dpkg", "--compare-versions", installed, "gt", wanted}});
  return compared && compared->exit_code == 0;
}

/// Those of the wish that the host lacks, or has older than wanted.
std::vector<Package> missing_packages(const InstallPackages& wish, const std::string& root) {
  const auto installed = installed_packages(root);
  std::vector<Package> missing;
  for (const Package& package : wish.packages) {
    const auto found = installed.find(package.name);
    if (found == installed.end() ||
        (found->second != package.version && !is_newer(found->second, package.version)))
      missing.push_back(package);
  }
  return missing;
}

std::vector<std::string> with_versions(const InstallPackages& wish) {
  std::vector<std::string> result;
  for (const Package& package : missing_packages(wish, ""))
    result.push_back(package.name + "=" + package.version);
  return result;
}

Result<Simulation> simulate(const StepContext& context, const InstallPackages& wish) {
  Child child = apt(context, wish, {"-s", "install", "--no-install-recommends", "--"});
  for (std::string& word : with_versions(wish)) child.arguments.push_back(std::move(word));
  child.on_line = nullptr;
  TRY_ASSIGN(const ChildResult result, run_child(child));
  if (result.exit_code != 0) {
    return fail(ErrorCode::conflict, "the packages cannot be installed on this host: {}", apt_errors(result));
  }
  Simulation simulation = parse_simulation(result.out);
  if (!simulation.removed.empty()) {
    return fail(ErrorCode::conflict,
                "installing the packages would remove {} from this host; nothing was changed",
                fmt::join(simulation.removed, ", "));
  }
  return simulation;
}

/// dpkg was killed in the middle of an earlier transaction: let it finish that first, or apt refuses
/// everything.
Status finish_interrupted_dpkg(const StepContext& context, const InstallPackages& wish) {
  std::error_code ignored;
  bool interrupted = false;
  for (const auto& entry : fs::directory_iterator("/var/lib/dpkg/updates", ignored)) {
    const std::string name = entry.path().filename().string();
    interrupted = interrupted || name.find_first_not_of("0123456789") == std::string::npos;
  }
  if (!interrupted) return {};
  Child child = apt(context, wish, {});
  child.orphan = Orphan::finishes;
  child.arguments = {"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"};
  TRY_ASSIGN(const ChildResult result, run_child(child));
  if (result.exit_code != 0) return fail(ErrorCode::io, "dpkg --configure -a failed: {}", last_words(result));
  return {};
}

Result<ApplyOutcome> install(const StepContext& context, const InstallPackages& wish) {
  TRY(wait_for_package_managers(context));
  TRY(finish_interrupted_dpkg(context, wish));
  TRY(update_lists(context, wish));
  TRY_ASSIGN(const Simulation simulation, simulate(context, wish));
  Child child = apt(context, wish, {"install", "--no-install-recommends", "--no-remove", "--"});
  child.orphan = Orphan::finishes;
  for (std::string& word : with_versions(wish)) child.arguments.push_back(std::move(word));
  TRY_ASSIGN(const ChildResult result, run_child(child));
  if (result.exit_code != 0)
    return fail(ErrorCode::io, "installing the packages failed: {}", apt_errors(result));
  if (const auto missing = missing_packages(wish, ""); !missing.empty())
    return fail(ErrorCode::io, "apt has ended well, but {} {} is not installed", missing.front().name,
                missing.front().version);
  json::Array fresh;
  if (const auto record = context.journal.find(context.step_id); record) {
    if (const json::Value* kept = record->detail.if_contains("fresh"); kept != nullptr && kept->is_array()) {
      fresh = kept->get_array();
    }
  }
  for (const std::string& name : simulation.fresh) fresh.emplace_back(name);
  std::error_code ignored;
  fs::remove_all(fmt::format("{}/cache/archives", kDirectory), ignored);
  return ApplyOutcome{fmt::format("install {} packages ({} new, {} upgraded)",
                                  simulation.fresh.size() + simulation.upgraded.size(),
                                  simulation.fresh.size(), simulation.upgraded.size()),
                      {{"fresh", std::move(fresh)}},
                      {}};
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const InstallPackages& wish) {
  std::vector<std::string> missing;
  for (const Package& package : missing_packages(wish, context.root))
    missing.push_back(package.name + "=" + package.version);
  if (!missing.empty()) {
    std::string names = fmt::format("{}", fmt::join(missing, " "));
    if (names.size() > 300) names = names.substr(0, 297) + "…";
    return CheckOutcome{false, fmt::format("install {} packages: {}", missing.size(), names), {}};
  }
  if (context.root.empty() && policy_is_ours())
    return CheckOutcome{false, "clean up after an interrupted installation", {}};
  return CheckOutcome{true, fmt::format("{} packages are installed", wish.packages.size()), {}};
}

Result<ApplyOutcome> apply(const StepContext& context, const InstallPackages& wish) {
  if (!context.root.empty())
    return fail(ErrorCode::unsupported, "packages are not installed below another root");
  TRY(NoServiceStarts::begin());
  auto outcome = install(context, wish);
  const Status ended = NoServiceStarts::end();
  if (!outcome) return outcome;
  TRY(ended);
  return outcome;
}

/// Only packages that were not there before; refused when others by now need them.
Status undo(const StepContext& context, const InstallPackages& wish) {
  const auto record = context.journal.find(context.step_id);
  const json::Value* fresh = record ? record->detail.if_contains("fresh") : nullptr;
  if (fresh == nullptr || !fresh->is_array()) return {};
  const auto installed = installed_packages(context.root);
  std::vector<std::string> names;
  for (const json::Value& name : fresh->get_array()) {
    if (name.is_string() && installed.contains(std::string(name.get_string())))
      names.emplace_back(name.get_string());
  }
  if (names.empty()) return {};
  Child child = apt(context, wish, {"-s", "remove", "--"});
  child.arguments.insert(child.arguments.end(), names.begin(), names.end());
  TRY_ASSIGN(const ChildResult simulated, run_child(child));
  const Simulation simulation = parse_simulation(simulated.out);
  if (simulated.exit_code != 0 || simulation.removed.size() > names.size()) {
    return fail(ErrorCode::conflict, "our packages cannot be removed without {}: {}",
                fmt::join(simulation.removed, ", "), apt_errors(simulated));
  }
  Child remove = apt(context, wish, {"remove", "--"});
  remove.arguments.insert(remove.arguments.end(), names.begin(), names.end());
  remove.orphan = Orphan::finishes;
  TRY_ASSIGN(const ChildResult result, run_child(remove));
  if (result.exit_code != 0)
    return fail(ErrorCode::io, "removing the packages failed: {}", apt_errors(result));
  return {};
}

}  // namespace sealift::installer
