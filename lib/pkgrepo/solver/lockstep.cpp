#include "lib/pkgrepo/solver/lockstep.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "lib/pkgrepo/apt/version.hpp"

namespace sealift::pkgrepo::solver {
namespace {

constexpr std::string_view kDigits = "0123456789";

/// "…+deb12u4" and "…+deb12u4+b1": digits, 'u', digits after the mark; what follows is a rebuild of the
/// update.
std::optional<std::string_view> without_stable_update(std::string_view version) {
  const auto mark = version.find("+deb");
  if (mark == std::string_view::npos) return std::nullopt;
  const auto release_end = version.find_first_not_of(kDigits, mark + 4);
  if (release_end == mark + 4 || release_end == std::string_view::npos || version[release_end] != 'u')
    return std::nullopt;
  if (version.find_first_of(kDigits, release_end + 1) != release_end + 1) return std::nullopt;
  return version.substr(0, mark);
}

/// "…ubuntu8.4" -> "…ubuntu8": the part after the dot counts updates within a release.
std::optional<std::string_view> without_ubuntu_update(std::string_view version) {
  const auto mark = version.rfind("ubuntu");
  if (mark == std::string_view::npos) return std::nullopt;
  const auto number = std::min(version.find_first_not_of(kDigits, mark + 6), version.size());
  const auto rest = version.substr(number);
  if (rest.empty() || rest[0] != '.') return std::nullopt;
  // "ubuntu0.24.04.1" begins at zero: everything after "ubuntu" came later.
  return version.substr(0, version.substr(mark + 6, number - mark - 6) == "0" ? mark : number);
}

/// Whether every version the machine may have fulfils the relation, given that the locked one does.
bool holds_for_oldest(const Row& row, const apt::Relation& relation) {
  if (row.package->name != relation.name) {
    // A provided name: its version moves with the package unless it was never versioned.
    return relation.comparison == apt::Comparison::any;
  }
  if (relation.comparison == apt::Comparison::any) return true;
  const std::string oldest = oldest_in_release(row.package->version);
  // A version without a known mark of an update may be one all the same: only what is asked for at least
  // holds.
  if (oldest == row.package->version) return relation.comparison != apt::Comparison::equal;
  return !oldest.empty() && relation.accepts(oldest);
}

/// Names the baseline has, with the candidate that replaces them.
class Baseline {
 public:
  explicit Baseline(const PackageTable& table) : table_(table) {
    for (std::size_t i = 0; i < table.rows().size(); ++i) {
      if (table.rows()[i].installed) installed_.push_back(i);
    }
  }

  /// Installed rows that a relation of `row` speaks of in a way the oldest machine may not fulfil.
  void collect_unsafe(const Row& row, std::vector<std::size_t>& found) const {
    for (const apt::Clause& clause : row.needs) {
      bool safe = false;
      std::optional<std::size_t> unsafe;
      for (const apt::Relation& relation : clause) {
        const auto installed = fulfilling_installed(relation);
        if (!installed) continue;
        if (holds_for_oldest(table_.rows()[*installed], relation)) safe = true;
        if (!unsafe) unsafe = installed;
      }
      if (!safe && unsafe) found.push_back(*unsafe);
    }
    for (const apt::Clause& clause : row.conflicts) {
      for (const apt::Relation& relation : clause) {
        const auto installed = table_.installed(relation.name);
        if (!installed || relation.comparison == apt::Comparison::any) continue;
        const Row& held = table_.rows()[*installed];
        const std::string oldest = oldest_in_release(held.package->version);
        if (oldest != held.package->version && (oldest.empty() || relation.accepts(oldest)))
          found.push_back(*installed);
      }
    }
  }

  /// Installed rows that ask for exactly the version of a package that may be replaced now.
  void collect_bound_to(std::string_view name, std::vector<std::size_t>& found) const {
    for (const std::size_t index : installed_) {
      for (const apt::Clause& clause : table_.rows()[index].needs) {
        const bool bound = std::any_of(clause.begin(), clause.end(), [name](const apt::Relation& relation) {
          return relation.name == name && relation.comparison == apt::Comparison::equal;
        });
        if (bound) found.push_back(index);
      }
    }
  }

 private:
  std::optional<std::size_t> fulfilling_installed(const apt::Relation& relation) const {
    const auto named = table_.installed(relation.name);
    if (named && table_.fulfils(table_.rows()[*named], relation)) return named;
    for (const std::size_t row : table_.providers(relation.name)) {
      if (table_.rows()[row].installed && table_.fulfils(table_.rows()[row], relation)) return row;
    }
    return std::nullopt;
  }

  const PackageTable& table_;
  std::vector<std::size_t> installed_;
};

}  // namespace

std::string oldest_in_release(std::string_view version) {
  if (const auto base = without_stable_update(version)) return std::string(*base);
  if (version.find("~deb") != std::string_view::npos) return "";
  if (const auto base = without_ubuntu_update(version)) return std::string(*base);
  return std::string(version);
}

std::set<std::size_t> with_lockstep(const PackageTable& table, std::set<std::size_t> rows) {
  const Baseline baseline(table);
  std::vector<std::size_t> queue(rows.begin(), rows.end());
  while (!queue.empty()) {
    const Row& row = table.rows()[queue.back()];
    queue.pop_back();
    std::vector<std::size_t> found;
    baseline.collect_unsafe(row, found);
    if (table.installed(row.package->name)) baseline.collect_bound_to(row.package->name, found);
    for (const std::size_t installed : found) {
      const auto candidate = table.candidate(table.rows()[installed].package->name);
      if (candidate && rows.insert(*candidate).second) queue.push_back(*candidate);
    }
  }
  return rows;
}

}  // namespace sealift::pkgrepo::solver
