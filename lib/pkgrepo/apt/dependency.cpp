#include "lib/pkgrepo/apt/dependency.hpp"

#include <array>
#include <optional>
#include <utility>

#include "lib/pkgrepo/apt/deb822.hpp"
#include "lib/pkgrepo/apt/version.hpp"

namespace sealift::pkgrepo::apt {
namespace {

constexpr std::size_t kMaxClauses = 4096;
// Solvers walk alternatives recursively; real packages have a few dozen.
constexpr std::size_t kMaxAlternatives = 1000;

// dpkg still reads the single '<' and '>' of old as "or equal".
constexpr std::array<std::pair<std::string_view, Comparison>, 7> kComparisons{{
    {"<<", Comparison::less},
    {"<=", Comparison::less_or_equal},
    {"=", Comparison::equal},
    {">=", Comparison::greater_or_equal},
    {">>", Comparison::greater},
    {"<", Comparison::less_or_equal},
    {">", Comparison::greater_or_equal},
}};

std::string_view sign_of(Comparison comparison) {
  for (const auto& [sign, meaning] : kComparisons) {
    if (meaning == comparison) return sign;
  }
  return "";
}

/// Takes the text up to `separator` off `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

std::optional<Relation> parse_relation(std::string_view text) {
  Relation relation;
  text = trimmed(text);
  const auto parenthesis = text.find('(');
  auto name = trimmed(text.substr(0, parenthesis));
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    relation.qualifier = name.substr(colon + 1);
    if (!is_package_name(relation.qualifier)) return std::nullopt;
    name = name.substr(0, colon);
  }
  if (!is_package_name(name)) return std::nullopt;
  relation.name = name;
  if (parenthesis == std::string_view::npos) return relation;
  if (!text.ends_with(')')) return std::nullopt;
  const auto inside = trimmed(text.substr(parenthesis + 1, text.size() - parenthesis - 2));
  for (const auto& [sign, comparison] : kComparisons) {
    if (!inside.starts_with(sign)) continue;
    relation.comparison = comparison;
    relation.version = trimmed(inside.substr(sign.size()));
    break;
  }
  if (relation.comparison == Comparison::any || !is_version(relation.version)) return std::nullopt;
  return relation;
}

}  // namespace

bool Relation::accepts(std::string_view candidate) const {
  if (comparison == Comparison::any) return true;
  const auto order = compare_versions(candidate, version);
  switch (comparison) {
    case Comparison::less:
      return order < 0;
    case Comparison::less_or_equal:
      return order <= 0;
    case Comparison::equal:
      return order == 0;
    case Comparison::greater_or_equal:
      return order >= 0;
    case Comparison::greater:
      return order > 0;
    case Comparison::any:
      break;
  }
  return true;
}

std::string Relation::str() const {
  std::string text(name);
  if (!qualifier.empty()) text += fmt::format(":{}", qualifier);
  if (comparison != Comparison::any) text += fmt::format(" ({} {})", sign_of(comparison), version);
  return text;
}

Result<std::vector<Clause>> parse_relations(std::string_view field, std::string_view what) {
  std::vector<Clause> clauses;
  std::string_view rest = field;
  while (!rest.empty()) {
    std::string_view alternatives = take_until(rest, ',');
    if (trimmed(alternatives).empty()) continue;  // a comma too many is common and harmless
    Clause clause;
    if (trimmed(alternatives).ends_with('|')) {
      return fail(ErrorCode::integrity, "{}: '{}' lacks its last alternative", what, trimmed(alternatives));
    }
    while (!alternatives.empty()) {
      const auto text = take_until(alternatives, '|');
      const auto relation = parse_relation(text);
      if (!relation)
        return fail(ErrorCode::integrity, "{}: '{}' is not a relation to a package", what, trimmed(text));
      if (clause.size() == kMaxAlternatives) {
        return fail(ErrorCode::integrity, "{}: more than {} alternatives", what, kMaxAlternatives);
      }
      clause.push_back(*relation);
    }
    if (clauses.size() == kMaxClauses)
      return fail(ErrorCode::integrity, "{}: more than {} relations", what, kMaxClauses);
    clauses.push_back(std::move(clause));
  }
  return clauses;
}

}  // namespace sealift::pkgrepo::apt
