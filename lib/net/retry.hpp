/// When to try again, and after how long.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sealift::net {

struct RetryPolicy {
  unsigned retries = 5;                        ///< after the first attempt
  std::chrono::milliseconds first_delay{500};  ///< doubled each time
  std::chrono::milliseconds longest_delay{30'000};
};

/// Connections that failed or broke off; not certificates, not content, not what the disk said.
bool is_transient(const Error& error);
/// 408, 425, 429, 500, 502, 503, 504.
bool is_transient_status(int status);

/// Delay before retry number `retry` (from 0): exponential, `jitter` in [0, 1) spreads it over its upper
/// half. A server's Retry-After is obeyed when it is longer, up to five minutes.
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, unsigned retry, double jitter,
                                      std::optional<std::chrono::seconds> retry_after);
/// A number in [0, 1) from the operating system.
double random_jitter();
/// Retry-After (RFC 9110, section 10.2.3): seconds or an HTTP date; nullopt when it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Timestamp now);
/// Sleeps, but returns false at once when `stop` is requested.
bool wait_for(std::chrono::milliseconds delay, const std::stop_token& stop);

}  // namespace sealift::net
