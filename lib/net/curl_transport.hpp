/// The transport over libcurl; the C library is seen in curl_transport.cpp only.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "lib/net/transport.hpp"

namespace sealift::net {

struct CurlOptions {
  /// PEM file of authorities trusted beside the system's; empty: the system's only. Certificates are always
  /// checked.
  std::string ca_file;
  std::chrono::seconds connect_timeout{30};
  /// A transfer slower than 1 KiB/s for this long is broken off.
  std::chrono::seconds stall_timeout{60};
  std::string user_agent = "sealift";
  /// Breaks transfers off with ErrorCode::interrupted.
  std::stop_token stop;
};

/// Keeps connections alive and hands one to each call. HTTP/1.1, http and https only; proxies from
/// http_proxy, https_proxy, all_proxy and no_proxy in the environment. Credentials are dropped when a
/// redirect leaves the origin, and a redirect from https to http is refused. The program must ignore SIGPIPE:
/// writing to a TLS connection that the server closed raises it otherwise.
class CurlTransport final : public Transport {
 public:
  /// Fails when `ca_file` cannot be read.
  static Result<std::unique_ptr<CurlTransport>> create(CurlOptions options);
  ~CurlTransport() override;

  Result<Response> get(const Request& request, Sink& body) override;
  Result<Response> head(const Request& request) override;
  Result<Response> post(const Request& request, const Secret& form, Sink& body) override;

 private:
  struct State;
  explicit CurlTransport(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sealift::net
