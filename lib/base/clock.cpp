#include "lib/base/clock.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace sealift {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Digits only: from_chars would take a sign.
bool read_number(std::string_view text, int& value) {
  if (text.empty() || text.size() > 4) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  std::from_chars(text.data(), text.data() + text.size(), value);
  return true;
}

bool make_time(int year, int month, int day, int hour, int minute, int second, Timestamp& time) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  time = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
  return true;
}

}  // namespace

Timestamp now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::string format_rfc3339(Timestamp time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  Timestamp time;
  const bool shaped = text.size() == 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' &&
                      text[13] == ':' && text[16] == ':' && text[19] == 'Z';
  if (!shaped || !read_number(text.substr(0, 4), year) || !read_number(text.substr(5, 2), month) ||
      !read_number(text.substr(8, 2), day) || !read_number(text.substr(11, 2), hour) ||
      !read_number(text.substr(14, 2), minute) || !read_number(text.substr(17, 2), second) ||
      !make_time(year, month, day, hour, minute, second, time)) {
    return fail(ErrorCode::invalid_argument, "\"{}\" is not a time in the form 2026-01-31T23:59:59Z",
                text.substr(0, 40));
  }
  return time;
}

std::string format_rfc5322(Timestamp time, std::string_view zone) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}",
                     kDays[std::chrono::weekday(days).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(), zone);
}

Result<Timestamp> parse_rfc5322(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::invalid_argument, "\"{}\" is not a date in the form Sat, 17 May 2025 10:00:00 UTC",
                text.substr(0, 60));
  };
  std::array<std::string_view, 6> words;
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) {
      if (count == words.size()) return bad();
      words[count++] = text.substr(at, end - at);
    }
    at = end + 1;
  }
  if (count != 6 || (words[5] != "UTC" && words[5] != "GMT" && words[5] != "+0000")) return bad();
  int month = 0;
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (words[2] == kMonths[i]) month = static_cast<int>(i) + 1;
  }
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const std::string_view clock = words[4];
  const std::size_t first = clock.find(':');
  const std::size_t last = clock.rfind(':');
  Timestamp time;
  if (month == 0 || first == std::string_view::npos || last <= first || !read_number(words[1], day) ||
      !read_number(words[3], year) || !read_number(clock.substr(0, first), hour) ||
      !read_number(clock.substr(first + 1, last - first - 1), minute) ||
      !read_number(clock.substr(last + 1), second) ||
      !make_time(year, month, day, hour, minute, second, time)) {
    return bad();
  }
  return time;
}

}  // namespace sealift
