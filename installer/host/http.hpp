/// One HTTP/1.1 GET to a numeric address, plain or TLS: what steps need to fetch files of the mirror and to
/// ask for health. No redirects, no proxies, no names to resolve.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"

namespace sealift::installer {

struct NumericUrl {
  bool tls = false;
  std::string host;  ///< IPv4 or IPv6 without brackets
  std::uint16_t port = 0;
  std::string target;  ///< "/files/kubelet"
};

/// ErrorCode::invalid_argument for anything but http(s)://<numeric address>[:port][/…].
Result<NumericUrl> parse_numeric_url(const std::string& url);

enum class Verification { ca, none };

struct HttpGet {
  std::string url{};
  std::string ca_pem{};  ///< with Verification::ca: the only trusted authorities
  Verification verification = Verification::ca;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds idle_timeout{30000};  ///< without a byte
  const std::atomic<bool>* stop = nullptr;
};

struct HttpAnswer {
  int status = 0;
  std::optional<std::uint64_t> size;  ///< of the body, when announced
};

/// Gives the body of a 200 answer to `body` (others are dropped). The body ends at Content-Length, the last
/// chunk, or the close.
Result<HttpAnswer> http_get(const HttpGet& request, Sink& body);

/// A TCP connection to a numeric address: success, or why not ("connection refused").
Status try_connect(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace sealift::installer
