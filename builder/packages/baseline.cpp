#include "builder/packages/baseline.hpp"

#include <algorithm>
#include <set>

#include "lib/base/ascii.hpp"
#include "lib/pkgrepo/apt/deb822.hpp"
#include "lib/pkgrepo/apt/version.hpp"

namespace sealift::builder {
namespace {

namespace apt = pkgrepo::apt;

constexpr std::uint64_t kMaxStatusBytes = 128U << 20;
constexpr std::uint64_t kMaxListBytes = 8U << 20;
constexpr std::size_t kMaxNames = 100000;

Result<Baseline> read_status(const fs::path& path) {
  Baseline baseline;
  baseline.kind = BaselineKind::status;
  baseline.what = path.string();
  TRY_ASSIGN(std::string text, read_file(path, kMaxStatusBytes));
  TRY_ASSIGN(baseline.status, apt::PackageIndex::parse_status(std::move(text), baseline.what));
  if (baseline.status.packages().empty()) {
    return fail(ErrorCode::invalid_argument,
                "{} lists no installed package; write 'baseline: none' for an empty machine", baseline.what);
  }
  return baseline;
}

/// Names of the lists that could have been meant.
std::string known_baselines(const std::vector<fs::path>& directories) {
  std::set<std::string> names;
  for (const fs::path& directory : directories) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".list") names.insert(entry->path().stem().string());
    }
  }
  return names.empty() ? "there is none" : fmt::format("there are: {}", fmt::join(names, ", "));
}

bool is_existing_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

Result<std::vector<std::string>> parse_baseline_list(std::string_view text, const std::string& what) {
  std::vector<std::string> names;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (!apt::is_package_name(line)) {
      return fail(ErrorCode::invalid_argument, "{}, line {}: '{}' is not a package name", what, line_number,
                  line.substr(0, 60));
    }
    if (names.size() == kMaxNames)
      return fail(ErrorCode::invalid_argument, "{}: more than {} names", what, kMaxNames);
    names.emplace_back(line);
  }
  return names;
}

Result<Baseline> read_baseline(const std::string& name, const PackageSetContext& context) {
  if (name == "none") {
    Baseline none;
    none.what = name;
    return none;
  }
  if (name.empty()) {
    return fail(ErrorCode::invalid_argument,
                "a package set needs a baseline: a named one, the path of a dpkg status file, or 'none'");
  }
  if (name.find('/') != std::string::npos) return read_status(context.spec_directory / name);
  for (const fs::path& directory : context.baseline_directories) {
    const fs::path path = directory / (name + ".list");
    if (!is_existing_file(path)) continue;
    Baseline baseline;
    baseline.kind = BaselineKind::named;
    baseline.what = path.string();
    TRY_ASSIGN(const std::string text, read_file(path, kMaxListBytes));
    TRY_ASSIGN(baseline.names, parse_baseline_list(text, baseline.what));
    return baseline;
  }
  if (is_existing_file(context.spec_directory / name)) return read_status(context.spec_directory / name);
  return fail(ErrorCode::invalid_argument,
              "baseline '{}' is neither a named baseline nor a status file; {}; or carry "
              "/var/lib/dpkg/status out of a machine",
              name, known_baselines(context.baseline_directories));
}

namespace {

Result<std::vector<const apt::Package*>> from_status(const Baseline& baseline,
                                                     const std::string& architecture) {
  std::vector<const apt::Package*> installed;
  bool native = false;
  for (const apt::Package& package : baseline.status.packages()) {
    if (package.architecture != architecture && package.architecture != "all") continue;
    native = native || package.architecture == architecture;
    installed.push_back(&package);
  }
  if (!native) {
    return fail(ErrorCode::invalid_argument,
                "{} comes from a machine of another architecture: it has no {} package", baseline.what,
                architecture);
  }
  return installed;
}

Result<std::vector<const apt::Package*>> from_names(const Baseline& baseline, const std::string& architecture,
                                                    const std::vector<const apt::Package*>& candidates,
                                                    Log& log) {
  std::set<std::string_view> known;
  for (const apt::Package* candidate : candidates) known.insert(candidate->name);
  pkgrepo::solver::ClosureRequest request;
  request.architecture = architecture;
  request.candidates = candidates;
  for (const std::string& name : baseline.names) {
    if (known.contains(name)) {
      request.install.push_back(name);
    } else {
      // The safe side: what is not counted as present is carried along when something needs it.
      log.warning("{}: no repository of this package set has '{}' for {}; it is counted as absent",
                  baseline.what, name, architecture);
    }
  }
  TRY_ASSIGN(auto closure,
             within(pkgrepo::solver::solve_closure(request), fmt::format("baseline {}", baseline.what)));
  return std::move(closure.packages);
}

}  // namespace

Result<std::vector<const apt::Package*>> installed_packages(
    const Baseline& baseline, const std::string& architecture,
    const std::vector<const apt::Package*>& candidates, Log& log) {
  switch (baseline.kind) {
    case BaselineKind::status:
      return from_status(baseline, architecture);
    case BaselineKind::named:
      return from_names(baseline, architecture, candidates, log);
    case BaselineKind::none:
      break;
  }
  return std::vector<const apt::Package*>();
}

}  // namespace sealift::builder
