#include "lib/pkgrepo/solver/apt_closure.hpp"

#include <algorithm>
#include <set>

#include "lib/pkgrepo/apt/version.hpp"
#include "lib/pkgrepo/solver/apt_walk.hpp"
#include "lib/pkgrepo/solver/lockstep.hpp"
#include "lib/pkgrepo/solver/package_table.hpp"
#include "lib/pkgrepo/solver/solv_pool.hpp"

namespace sealift::pkgrepo::solver {
namespace {

/// Rows behind the names that were asked for.
struct Wanted {
  std::vector<std::size_t> install;  ///< candidates that must be installed or upgraded to
  std::vector<std::size_t> present;  ///< candidates the machine has already, in this very version
};

std::string nearest_names(const PackageTable& table, const std::string& name) {
  std::vector<std::string> near;
  for (const Row& row : table.rows()) {
    if (!row.installed && near.size() < 5 && row.package->name.find(name) != std::string_view::npos) {
      near.emplace_back(row.package->name);
    }
  }
  return near.empty() ? "" : fmt::format("; names that contain it: {}", fmt::join(near, ", "));
}

Result<std::size_t> find_candidate(const PackageTable& table, const std::string& name) {
  if (const auto row = table.candidate(name)) return *row;
  if (const std::string problem = table.problem_of(name); !problem.empty()) {
    return fail(ErrorCode::integrity, "{}", problem);
  }
  const auto providers = table.targets(apt::Relation{name, {}, apt::Comparison::any, {}});
  if (providers.size() == 1) return providers.front();
  if (providers.empty()) {
    return fail(ErrorCode::invalid_argument, "no repository of this package set has a package '{}' for {}{}",
                name, table.architecture(), nearest_names(table, name));
  }
  std::vector<std::string_view> names;
  for (const std::size_t row : providers) names.push_back(table.rows()[row].package->name);
  return fail(ErrorCode::invalid_argument, "'{}' is a virtual package; name one of those that provide it: {}",
              name, fmt::join(names, ", "));
}

Result<Wanted> find_wanted(const PackageTable& table, const ClosureRequest& request) {
  Wanted wanted;
  for (const std::string& name : request.install) {
    TRY_ASSIGN(const std::size_t row, find_candidate(table, name));
    const apt::Package& candidate = *table.rows()[row].package;
    const auto installed = table.installed(candidate.name);
    if (!installed) {
      wanted.install.push_back(row);
      continue;
    }
    const auto order = apt::compare_versions(table.rows()[*installed].package->version, candidate.version);
    if (order < 0) wanted.install.push_back(row);
    if (order == 0) wanted.present.push_back(row);
  }
  if (!request.installed.empty()) return wanted;
  // An empty machine: nothing depends on Essential packages by name, everything needs them.
  for (std::size_t i = 0; i < table.rows().size(); ++i) {
    if (table.rows()[i].package->essential) wanted.install.push_back(i);
  }
  return wanted;
}

/// What apt would remove without asking twice: neither essential nor required.
std::vector<std::size_t> removable_rows(const PackageTable& table) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < table.rows().size(); ++i) {
    const Row& row = table.rows()[i];
    if (row.installed && !row.package->essential && row.package->priority != apt::Priority::required)
      rows.push_back(i);
  }
  return rows;
}

/// First without removing anything, then, as with chrony in place of systemd-timesyncd, with.
Result<SolveOutcome> solve_twice(const PackageTable& table, SolveJob job, const ClosureRequest& request) {
  TRY_ASSIGN(SolvPool pool, SolvPool::create(table));
  SolveOutcome outcome = pool.solve(job);
  if (!outcome.problems.empty()) {
    job.removable = removable_rows(table);
    SolveOutcome second = pool.solve(job);
    if (second.problems.empty()) outcome = std::move(second);
  }
  if (!outcome.problems.empty()) {
    return fail(ErrorCode::conflict, "the packages {} cannot be installed together on {}:\n  {}",
                fmt::join(request.install, ", "), request.architecture, fmt::join(outcome.problems, "\n  "));
  }
  return outcome;
}

/// Looks at the answer with eyes of our own: nothing needed may be missing.
Status check_closed(const PackageTable& table, const SolveOutcome& outcome) {
  Presence presence(table);
  for (const std::size_t row : outcome.removed) presence.remove(table.rows()[row].package->name);
  for (const std::size_t row : outcome.added) presence.put(row);
  for (const std::size_t row : outcome.added) {
    for (const apt::Clause& clause : table.rows()[row].needs) {
      if (presence.fulfilling(clause)) continue;
      return fail(ErrorCode::internal, "the solver left out what {} needs: {}",
                  table.rows()[row].package->name, clause.front().str());
    }
  }
  return {};
}

}  // namespace

Result<Closure> solve_closure(const ClosureRequest& request) {
  PackageTable table(request.architecture);
  for (const apt::Package* package : request.installed) TRY(table.add(*package, true));
  for (const apt::Package* package : request.candidates) TRY(table.add(*package, false));
  TRY_ASSIGN(const Wanted wanted, find_wanted(table, request));
  SolveJob job;
  job.install = wanted.install;
  job.favour = walk_like_apt(table, wanted.install, request.recommends);
  job.recommends = request.recommends == Recommends::install;
  TRY_ASSIGN(const SolveOutcome outcome, solve_twice(table, std::move(job), request));
  TRY(check_closed(table, outcome));

  std::set<std::size_t> rows(outcome.added.begin(), outcome.added.end());
  rows.insert(wanted.present.begin(), wanted.present.end());
  if (request.installed_versions == InstalledVersions::at_most) rows = with_lockstep(table, std::move(rows));
  Closure closure;
  for (const std::size_t row : rows) closure.packages.push_back(table.rows()[row].package);
  std::sort(closure.packages.begin(), closure.packages.end(),
            [](const apt::Package* a, const apt::Package* b) { return a->name < b->name; });
  for (const std::size_t row : outcome.removed) closure.removed.emplace_back(table.rows()[row].package->name);
  return closure;
}

}  // namespace sealift::pkgrepo::solver
