/// Debian version numbers: [epoch:]upstream[-revision] (Debian Policy 5.6.12).
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace sealift::pkgrepo::apt {

/// Policy's order: digits by value, letters before other characters, '~' before everything, even the end.
std::strong_ordering compare_versions(std::string_view a, std::string_view b);

/// An upstream part that begins with a digit or letter; only the characters that Policy allows; the epoch a
/// number.
bool is_version(std::string_view text);

/// "1:2.3-4" -> "2.3-4"
std::string_view without_epoch(std::string_view version);

/// A package name as dpkg has it: at most 200 of [a-z0-9+.-] (and '_' or capitals, which some vendors use),
/// an alphanumeric one first.
bool is_package_name(std::string_view text);

}  // namespace sealift::pkgrepo::apt
