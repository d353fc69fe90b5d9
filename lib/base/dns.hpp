/// Names as the domain name system and Kubernetes write them.
#pragma once

#include <algorithm>
#include <string_view>

namespace sealift {

/// RFC 1123 label: lower case letters, digits and '-', 1 to 63 characters, not beginning or ending with '-'.
constexpr bool is_dns_label(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && plain(text.front()) && plain(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return plain(c) || c == '-'; });
}

/// Dotted labels, at most 253 characters.
constexpr bool is_dns_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace sealift
