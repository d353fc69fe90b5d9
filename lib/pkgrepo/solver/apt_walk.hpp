/// Follows dependencies the way apt does, to learn which alternative apt would take where there is a choice.
#pragma once

#include <cstddef>
#include <vector>

#include "lib/pkgrepo/solver/apt_closure.hpp"
#include "lib/pkgrepo/solver/package_table.hpp"

namespace sealift::pkgrepo::solver {

/// Candidates reached from `roots` (indexes of candidates), without regard to conflicts: hints for the
/// solver, not an answer. What an installed or already chosen package fulfils is not followed. Choices wait
/// until all that is certain has been followed, so that `a | b` is settled by b when something else needs b
/// anyway.
std::vector<std::size_t> walk_like_apt(const PackageTable& table, const std::vector<std::size_t>& roots,
                                       Recommends recommends);

/// What a machine would have after an operation: its packages by name.
class Presence {
 public:
  explicit Presence(const PackageTable& table);

  void put(std::size_t row);
  void remove(std::string_view name) { present_.erase(name); }
  bool has(std::size_t row) const;
  /// Whether some present package fulfils one of the alternatives; its row, or nullopt.
  std::optional<std::size_t> fulfilling(const apt::Clause& clause) const;

 private:
  const PackageTable& table_;
  std::unordered_map<std::string_view, std::size_t> present_;
};

}  // namespace sealift::pkgrepo::solver
