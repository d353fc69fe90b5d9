#include "lib/net/retry.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>

namespace sealift::net {

namespace {
constexpr std::chrono::seconds kLongestRetryAfter{300};
}

bool is_transient(const Error& error) { return error.code() == ErrorCode::network; }

bool is_transient_status(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, unsigned retry, double jitter,
                                      std::optional<std::chrono::seconds> retry_after) {
  const auto full =
      std::min(policy.longest_delay, policy.first_delay * (std::int64_t{1} << std::min(retry, 20U)));
  const auto half = full / 2;
  auto delay =
      half + std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(half.count()) * jitter));
  if (retry_after)
    delay = std::max(delay, std::chrono::milliseconds(std::min(*retry_after, kLongestRetryAfter)));
  return delay;
}

double random_jitter() {
  std::random_device device;
  return std::uniform_real_distribution<double>(0.0, 1.0)(device);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Timestamp now) {
  std::int64_t seconds = 0;
  const char* end = value.data() + value.size();
  if (const auto [stop, error] = std::from_chars(value.data(), end, seconds);
      error == std::errc() && stop == end) {
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 1'000'000));
  }
  const auto time = parse_rfc5322(value);
  if (!time) return std::nullopt;
  return std::max(std::chrono::seconds(0), std::chrono::duration_cast<std::chrono::seconds>(*time - now));
}

bool wait_for(std::chrono::milliseconds delay, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace sealift::net
