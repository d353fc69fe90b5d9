/// Points in time as people and formats write them; always UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift {

using Timestamp = std::chrono::sys_seconds;

Timestamp now();
/// RFC 3339 in UTC: 2026-11-20T23:12:00Z
std::string format_rfc3339(Timestamp time);
Result<Timestamp> parse_rfc3339(std::string_view text);
/// RFC 5322 date as Debian's Release and HTTP have it, in UTC, day without the weekday check:
/// "Sat, 17 May 2025 10:00:00 UTC" and "... GMT".
std::string format_rfc5322(Timestamp time, std::string_view zone = "UTC");
Result<Timestamp> parse_rfc5322(std::string_view text);

}  // namespace sealift
