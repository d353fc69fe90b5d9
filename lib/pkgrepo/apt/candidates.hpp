/// Which version of each package counts when several suites offer one: apt's choice.
#pragma once

#include <string>
#include <vector>

#include "lib/pkgrepo/apt/packages.hpp"

namespace sealift::pkgrepo::apt {

/// One index with the pin priority of its suite (pin_priority()).
struct RankedIndex {
  const PackageIndex* index = nullptr;
  int priority = 500;
};

/// A package with the position of the index it comes from.
struct Candidate {
  const Package* package = nullptr;
  std::size_t index = 0;
};

/// For each name one candidate that runs on `architecture` (or is Architecture: all): of the highest
/// priority, then of the highest version, then of the first index. Sorted by name.
std::vector<Candidate> select_candidates(const std::vector<RankedIndex>& indexes,
                                         const std::string& architecture);

}  // namespace sealift::pkgrepo::apt
