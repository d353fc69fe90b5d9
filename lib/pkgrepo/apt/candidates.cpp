#include "lib/pkgrepo/apt/candidates.hpp"

#include <algorithm>
#include <unordered_map>

#include "lib/pkgrepo/apt/version.hpp"

namespace sealift::pkgrepo::apt {

std::vector<Candidate> select_candidates(const std::vector<RankedIndex>& indexes,
                                         const std::string& architecture) {
  std::unordered_map<std::string_view, Candidate> best;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    for (const Package& package : indexes[i].index->packages()) {
      if (package.architecture != architecture && package.architecture != "all") continue;
      Candidate& present = best[package.name];
      if (present.package != nullptr) {
        const int held = indexes[present.index].priority;
        if (indexes[i].priority < held) continue;
        if (indexes[i].priority == held && compare_versions(package.version, present.package->version) <= 0)
          continue;
      }
      present = {&package, i};
    }
  }
  std::vector<Candidate> candidates;
  candidates.reserve(best.size());
  for (const auto& [name, candidate] : best) candidates.push_back(candidate);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.package->name < b.package->name; });
  return candidates;
}

}  // namespace sealift::pkgrepo::apt
