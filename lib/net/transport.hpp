/// HTTP as the builder needs it: small requests and streamed bodies, behind an interface so that tests can
/// answer themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/net/secret.hpp"
#include "lib/net/url.hpp"

namespace sealift::net {

struct Request {
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  Secret authorization;  ///< value of the Authorization header; never sent to another origin after a redirect
  std::uint64_t range_from =
      0;  ///< the body from this byte on; a server that ignores ranges has the start skipped here
  std::uint64_t limit_bytes = 0;  ///< a body of more bytes (after range_from) is ErrorCode::integrity
};

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, of the last answer
  Url url;                                                   ///< what answered, after redirects
  std::string error_body;  ///< the first 16 KiB of the body when the status is not 2xx; such a body never
                           ///< reaches the sink
  std::uint64_t body_bytes = 0;  ///< given to the sink

  /// 2xx (RFC 9110, section 15.3).
  bool succeeded() const { return status >= 200 && status < 300; }
  /// Value of the first header of that (lower-case) name.
  std::optional<std::string> header(std::string_view name) const;
};

/// Any HTTP status is a success here. Errors: network (could be tried again: no connection, broken off, too
/// slow), untrusted (the server's certificate), unsupported (redirects without end or to another protocol),
/// integrity (more than the limit, a wrong Content-Range), interrupted, or what the sink returned.
/// Implementations are thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Follows at most 10 redirects. `body` gets the bytes of a 2xx answer from `range_from` on.
  virtual Result<Response> get(const Request& request, Sink& body) = 0;
  virtual Result<Response> head(const Request& request) = 0;
  /// Sends `form` as application/x-www-form-urlencoded; no redirects.
  virtual Result<Response> post(const Request& request, const Secret& form, Sink& body) = 0;
};

}  // namespace sealift::net
