#include "repo-server/http/content_coding.hpp"

#include <algorithm>
#include <optional>

#include "lib/base/ascii.hpp"

namespace sealift::repo_server::http {
namespace {

constexpr int kWhole = 1000;

/// What stands before `separator` or the end, trimmed; both are removed from `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return trimmed(part);
}

/// "0.5" in thousandths: 0 or 1, and at most three digits after a point; nullopt for anything else.
std::optional<int> parse_qvalue(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = (text[0] - '0') * kWhole;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int place = kWhole / 10;
  for (std::size_t i = 2; i < text.size(); ++i, place /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value += (text[i] - '0') * place;
  }
  if (value > kWhole) return std::nullopt;
  return value;
}

/// The weight among the parameters after a coding's name: 1 when there is none, 0 when it is malformed.
int weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take_until(parameters, ';');
    const std::string_view name = take_until(parameter, '=');
    if (equals_ignoring_case(name, "q")) return parse_qvalue(trimmed(parameter)).value_or(0);
  }
  return kWhole;
}

}  // namespace

bool admits_zstd(std::string_view accept_encoding) {
  int zstd = 0;
  int identity = 0;
  while (!accept_encoding.empty()) {
    std::string_view element = take_until(accept_encoding, ',');
    const std::string_view coding = take_until(element, ';');
    if (equals_ignoring_case(coding, "zstd")) zstd = weight_of(element);
    if (equals_ignoring_case(coding, "identity")) identity = weight_of(element);
  }
  return zstd > 0 && zstd >= identity;
}

}  // namespace sealift::repo_server::http
