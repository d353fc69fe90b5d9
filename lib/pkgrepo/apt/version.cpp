#include "lib/pkgrepo/apt/version.hpp"

#include <algorithm>
#include <cstdint>

namespace sealift::pkgrepo::apt {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Weight of a non-digit; 0 stands for the end of the part.
int weight(char c) {
  if (c == '~') return -1;
  if (is_alpha(c)) return c;
  return c == 0 || is_digit(c) ? 0 : static_cast<unsigned char>(c) + 256;
}

char at(std::string_view text, std::size_t index) { return index < text.size() ? text[index] : '\0'; }

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

std::string_view leading_digits(std::string_view text) {
  return text.substr(
      0, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin()));
}

/// Alternates between runs of non-digits and runs of digits.
std::strong_ordering compare_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    std::size_t i = 0;
    while ((i < a.size() && !is_digit(a[i])) || (i < b.size() && !is_digit(b[i]))) {
      const int x = weight(at(a, i));
      const int y = weight(at(b, i));
      if (x != y) return x <=> y;
      ++i;
    }
    a.remove_prefix(std::min(i, a.size()));
    b.remove_prefix(std::min(i, b.size()));
    const auto number_a = leading_digits(a);
    const auto number_b = leading_digits(b);
    if (const auto order = compare_numbers(number_a, number_b); order != 0) return order;
    a.remove_prefix(number_a.size());
    b.remove_prefix(number_b.size());
  }
  return std::strong_ordering::equal;
}

struct Parts {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

Parts split(std::string_view version) {
  Parts parts;
  if (const auto colon = version.find(':'); colon != std::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const auto dash = version.rfind('-');
  parts.upstream = version.substr(0, dash);
  if (dash != std::string_view::npos) parts.revision = version.substr(dash + 1);
  return parts;
}

}  // namespace

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const Parts x = split(a);
  const Parts y = split(b);
  if (const auto order = compare_numbers(x.epoch, y.epoch); order != 0) return order;
  if (const auto order = compare_part(x.upstream, y.upstream); order != 0) return order;
  return compare_part(x.revision, y.revision);
}

bool is_version(std::string_view text) {
  if (text.empty() || text.size() > 256) return false;
  const Parts parts = split(text);
  if (text.find(':') != std::string_view::npos &&
      (parts.epoch.empty() || leading_digits(parts.epoch).size() != parts.epoch.size())) {
    return false;
  }
  if (parts.upstream.empty() || !(is_digit(parts.upstream[0]) || is_alpha(parts.upstream[0]))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_alpha(c) || std::string_view(".+-~:").find(c) != std::string_view::npos;
  });
}

std::string_view without_epoch(std::string_view version) {
  const auto colon = version.find(':');
  return colon == std::string_view::npos ? version : version.substr(colon + 1);
}

bool is_package_name(std::string_view text) {
  if (text.empty() || text.size() > 200 || !(is_digit(text[0]) || is_alpha(text[0]))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_alpha(c) || std::string_view("+-._").find(c) != std::string_view::npos;
  });
}

}  // namespace sealift::pkgrepo::apt
