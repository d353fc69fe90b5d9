#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/pkgrepo/apt/dependency.hpp"

namespace apt = sealift::pkgrepo::apt;

/// Written out and read again, a field says the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto clauses =
      apt::parse_relations(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!clauses) return 0;
  std::string text;
  for (const apt::Clause& clause : *clauses) {
    if (clause.empty()) std::abort();
    for (const apt::Relation& relation : clause)
      text += relation.str() + (&relation == &clause.back() ? "," : "|");
  }
  const auto again = apt::parse_relations(text, "again");
  if (!again || again->size() != clauses->size()) std::abort();
  for (std::size_t i = 0; i < clauses->size(); ++i) {
    for (std::size_t j = 0; j < (*clauses)[i].size(); ++j) {
      if ((*again)[i].at(j).str() != (*clauses)[i][j].str()) std::abort();
    }
  }
  return 0;
}
