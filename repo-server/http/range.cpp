#include "repo-server/http/range.hpp"

#include <algorithm>
#include <charconv>

#include "lib/base/ascii.hpp"

namespace sealift::repo_server::http {
namespace {

/// Digits only; a number past 64 bits is as good as the largest.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : UINT64_MAX;
}

}  // namespace

RangeDecision decide_range(std::string_view header, std::uint64_t size) {
  const RangeDecision whole;
  const auto equals = header.find('=');
  if (equals == std::string_view::npos || !equals_ignoring_case(trimmed(header.substr(0, equals)), "bytes"))
    return whole;
  const std::string_view set = trimmed(header.substr(equals + 1));
  if (set.find(',') != std::string_view::npos) return whole;
  const auto dash = set.find('-');
  if (dash == std::string_view::npos) return whole;
  const std::string_view first_text = set.substr(0, dash);
  const std::string_view last_text = set.substr(dash + 1);

  if (first_text.empty()) {
    const auto suffix = parse_position(last_text);
    if (!suffix) return whole;
    if (*suffix == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
    const std::uint64_t length = std::min(*suffix, size);
    return {RangeKind::partial, {size - length, length}};
  }
  const auto first = parse_position(first_text);
  if (!first) return whole;
  std::uint64_t last = size == 0 ? 0 : size - 1;
  if (!last_text.empty()) {
    const auto given = parse_position(last_text);
    if (!given || *given < *first) return whole;
    last = std::min(last, *given);
  }
  if (*first >= size) return {RangeKind::unsatisfiable, {}};
  return {RangeKind::partial, {*first, last - *first + 1}};
}

bool matches_etag(std::string_view header, std::string_view etag) {
  if (etag.empty()) return false;
  if (trimmed(header) == "*") return true;
  while (!header.empty()) {
    std::string_view candidate = trimmed(header.substr(0, header.find(',')));
    header.remove_prefix(std::min(
        header.size(), header.find(',') == std::string_view::npos ? header.size() : header.find(',') + 1));
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate == etag) return true;
  }
  return false;
}

}  // namespace sealift::repo_server::http
