#include "lib/pkgrepo/solver/apt_walk.hpp"

#include <deque>

namespace sealift::pkgrepo::solver {
namespace {

/// The candidate apt would take for a clause: the first alternative that has one.
std::optional<std::size_t> choose(const PackageTable& table, const apt::Clause& clause) {
  for (const apt::Relation& relation : clause) {
    const auto targets = table.targets(relation);
    if (!targets.empty()) return targets.front();
  }
  return std::nullopt;
}

/// One name that is a real package leaves nothing to choose.
bool is_certain(const PackageTable& table, const apt::Clause& clause) {
  if (clause.size() != 1) return false;
  const auto named = table.candidate(clause.front().name);
  return named && table.fulfils(table.rows()[*named], clause.front());
}

}  // namespace

Presence::Presence(const PackageTable& table) : table_(table) {
  for (std::size_t i = 0; i < table.rows().size(); ++i) {
    if (table.rows()[i].installed) put(i);
  }
}

void Presence::put(std::size_t row) { present_[table_.rows()[row].package->name] = row; }

bool Presence::has(std::size_t row) const {
  const auto found = present_.find(table_.rows()[row].package->name);
  return found != present_.end() && found->second == row;
}

std::optional<std::size_t> Presence::fulfilling(const apt::Clause& clause) const {
  for (const apt::Relation& relation : clause) {
    const auto named = present_.find(relation.name);
    if (named != present_.end() && table_.fulfils(table_.rows()[named->second], relation))
      return named->second;
    for (const std::size_t row : table_.providers(relation.name)) {
      if (has(row) && table_.fulfils(table_.rows()[row], relation)) return row;
    }
  }
  return std::nullopt;
}

std::vector<std::size_t> walk_like_apt(const PackageTable& table, const std::vector<std::size_t>& roots,
                                       Recommends recommends) {
  Presence presence(table);
  std::vector<std::size_t> chosen;
  std::deque<std::size_t> packages;
  std::deque<const apt::Clause*> choices;
  const auto take = [&](std::size_t row) {
    if (presence.has(row)) return;
    presence.put(row);
    chosen.push_back(row);
    packages.push_back(row);
  };
  const auto follow = [&](const apt::Clause& clause) {
    if (presence.fulfilling(clause)) return;
    if (const auto row = choose(table, clause)) take(*row);
  };
  for (const std::size_t root : roots) take(root);
  while (!packages.empty() || !choices.empty()) {
    if (packages.empty()) {
      const apt::Clause* clause = choices.front();
      choices.pop_front();
      follow(*clause);
      continue;
    }
    const Row& row = table.rows()[packages.front()];
    packages.pop_front();
    for (const apt::Clause& clause : row.needs) {
      if (is_certain(table, clause)) {
        follow(clause);
      } else {
        choices.push_back(&clause);
      }
    }
    if (recommends == Recommends::ignore) continue;
    for (const apt::Clause& clause : row.recommends) choices.push_back(&clause);
  }
  return chosen;
}

}  // namespace sealift::pkgrepo::solver
