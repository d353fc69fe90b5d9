/// Relationship fields: Depends, Pre-Depends, Recommends, Provides, Conflicts, Breaks (Debian Policy 7.1).
///
///   a (>= 1) | b:any, c
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift::pkgrepo::apt {

enum class Comparison { any, less, less_or_equal, equal, greater_or_equal, greater };

/// One package name with what is asked of its version; points into the field.
struct Relation {
  std::string_view name;
  std::string_view qualifier;  ///< after ':', such as "any" or "amd64"; empty for none
  Comparison comparison = Comparison::any;
  std::string_view version;  ///< set unless comparison is any

  /// Whether that version fulfils the comparison.
  bool accepts(std::string_view candidate) const;
  std::string str() const;
};

/// Alternatives, in the order of preference.
using Clause = std::vector<Relation>;

/// At most 4096 clauses of 1000 alternatives; `what` names the package and field in errors
/// (ErrorCode::integrity).
Result<std::vector<Clause>> parse_relations(std::string_view field, std::string_view what);

}  // namespace sealift::pkgrepo::apt
