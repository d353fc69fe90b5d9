#include "lib/pkgrepo/solver/package_table.hpp"

#include <algorithm>
#include <tuple>

namespace sealift::pkgrepo::solver {
namespace {

Status append(std::vector<apt::Clause>& clauses, std::string_view field, const apt::Package& package,
              std::string_view field_name) {
  TRY_ASSIGN(auto more, apt::parse_relations(
                            field, fmt::format("{} {}, {}", package.name, package.version, field_name)));
  std::move(more.begin(), more.end(), std::back_inserter(clauses));
  return {};
}

Result<Row> read_row(const apt::Package& package) {
  Row row;
  row.package = &package;
  std::vector<apt::Clause> provides;
  TRY(append(row.needs, package.pre_depends, package, "Pre-Depends"));
  TRY(append(row.needs, package.depends, package, "Depends"));
  TRY(append(row.recommends, package.recommends, package, "Recommends"));
  TRY(append(row.conflicts, package.conflicts, package, "Conflicts"));
  TRY(append(row.conflicts, package.breaks, package, "Breaks"));
  TRY(append(provides, package.provides, package, "Provides"));
  for (const apt::Clause& clause : provides) {
    const apt::Relation& relation = clause.front();
    if (clause.size() != 1 ||
        (relation.comparison != apt::Comparison::any && relation.comparison != apt::Comparison::equal)) {
      return fail(ErrorCode::integrity, "{} {}, Provides: '{}' is not a name or a name (= version)",
                  package.name, package.version, relation.str());
    }
    row.provides.push_back(relation);
  }
  return row;
}

}  // namespace

Status PackageTable::add(const apt::Package& package, bool installed) {
  auto row = read_row(package);
  if (!row) {
    if (installed) return tl::unexpected(std::move(row).error());
    problems_.emplace(package.name, row.error().message());
    return {};
  }
  row->installed = installed;
  const std::size_t index = rows_.size();
  (installed ? installed_ : candidates_).emplace(package.name, index);
  for (const apt::Relation& relation : row->provides) {
    auto& list = providers_[relation.name];
    if (relation.name != package.name && (list.empty() || list.back() != index)) list.push_back(index);
  }
  rows_.push_back(std::move(*row));
  return {};
}

std::optional<std::size_t> PackageTable::candidate(std::string_view name) const {
  const auto found = candidates_.find(name);
  return found == candidates_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> PackageTable::installed(std::string_view name) const {
  const auto found = installed_.find(name);
  return found == installed_.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<std::size_t>& PackageTable::providers(std::string_view name) const {
  static const std::vector<std::size_t> kNone;
  const auto found = providers_.find(name);
  return found == providers_.end() ? kNone : found->second;
}

std::string PackageTable::problem_of(const std::string& name) const {
  const auto found = problems_.find(name);
  return found == problems_.end() ? std::string() : found->second;
}

bool PackageTable::qualifier_fits(const Row& row, const apt::Relation& relation) const {
  if (relation.qualifier.empty() || relation.qualifier == architecture_) return true;
  // name:any is for packages that say they serve other architectures.
  return relation.qualifier == "any" && (row.package->multi_arch == apt::MultiArch::allowed ||
                                         row.package->multi_arch == apt::MultiArch::foreign);
}

bool PackageTable::fulfils(const Row& row, const apt::Relation& relation) const {
  if (!qualifier_fits(row, relation)) return false;
  if (row.package->name == relation.name && relation.accepts(row.package->version)) return true;
  return std::any_of(row.provides.begin(), row.provides.end(), [&](const apt::Relation& provided) {
    if (provided.name != relation.name) return false;
    // Policy 7.5: an unversioned provision fulfils no versioned relation.
    if (relation.comparison == apt::Comparison::any) return true;
    return provided.comparison == apt::Comparison::equal && relation.accepts(provided.version);
  });
}

std::vector<std::size_t> PackageTable::targets(const apt::Relation& relation) const {
  std::vector<std::size_t> found;
  for (const std::size_t index : providers(relation.name)) {
    if (!rows_[index].installed && fulfils(rows_[index], relation)) found.push_back(index);
  }
  std::sort(found.begin(), found.end(), [this](std::size_t a, std::size_t b) {
    const apt::Package& x = *rows_[a].package;
    const apt::Package& y = *rows_[b].package;
    return std::tie(x.priority, x.name) < std::tie(y.priority, y.name);
  });
  if (const auto named = candidate(relation.name); named && fulfils(rows_[*named], relation)) {
    found.insert(found.begin(), *named);
  }
  return found;
}

}  // namespace sealift::pkgrepo::solver
