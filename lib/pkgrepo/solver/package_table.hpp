/// Packages by name and by what they provide, with their relations read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/pkgrepo/apt/dependency.hpp"
#include "lib/pkgrepo/apt/packages.hpp"

namespace sealift::pkgrepo::solver {

/// A package with its relations. Two rows may have one name: the installed and the candidate version.
struct Row {
  const apt::Package* package = nullptr;
  bool installed = false;
  std::vector<apt::Clause> needs;  ///< Pre-Depends and Depends
  std::vector<apt::Clause> recommends;
  std::vector<apt::Clause> conflicts;   ///< Conflicts and Breaks
  std::vector<apt::Relation> provides;  ///< without the package itself
};

/// All packages that one solve knows.
class PackageTable {
 public:
  explicit PackageTable(std::string architecture) : architecture_(std::move(architecture)) {}

  /// A candidate whose relations cannot be read is left out and remembered; an installed one is an error.
  Status add(const apt::Package& package, bool installed);

  const std::vector<Row>& rows() const { return rows_; }
  const std::string& architecture() const { return architecture_; }

  /// Index of the candidate or the installed package of that name.
  std::optional<std::size_t> candidate(std::string_view name) const;
  std::optional<std::size_t> installed(std::string_view name) const;
  /// Indexes of every row that provides that name without bearing it.
  const std::vector<std::size_t>& providers(std::string_view name) const;
  /// Why a candidate of that name was left out, or "".
  std::string problem_of(const std::string& name) const;

  /// Whether a package with that row fulfils the relation, by name or by what it provides.
  bool fulfils(const Row& row, const apt::Relation& relation) const;
  /// Candidates (not installed rows) that fulfil the relation: the bearer of the name first, then providers
  /// as apt ranks them: by Priority, then by name.
  std::vector<std::size_t> targets(const apt::Relation& relation) const;

 private:
  bool qualifier_fits(const Row& row, const apt::Relation& relation) const;

  std::string architecture_;
  std::vector<Row> rows_;
  std::unordered_map<std::string_view, std::size_t> candidates_;
  std::unordered_map<std::string_view, std::size_t> installed_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> providers_;
  std::map<std::string, std::string> problems_;
};

}  // namespace sealift::pkgrepo::solver
