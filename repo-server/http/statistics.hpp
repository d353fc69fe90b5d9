/// Counters of a running server, for /metrics. Updated by all threads without locks.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sealift::repo_server::http {

struct Statistics {
  const std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  std::array<std::atomic<std::uint64_t>, 6> requests_by_class{};  ///< [2]: answers 200-299
  std::atomic<std::uint64_t> body_bytes = 0;
  std::atomic<std::uint64_t> connections_total = 0;
  std::atomic<std::uint64_t> connections_refused = 0;  ///< over the limit
  std::atomic<std::uint64_t> connections_timed_out = 0;
  std::atomic<std::int64_t> connections_open = 0;
  std::atomic<std::int64_t> expanding = 0;  ///< answers that are being decompressed
  std::atomic<std::uint64_t> tls_handshake_failures = 0;
};

}  // namespace sealift::repo_server::http
