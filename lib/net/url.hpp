/// http and https URLs (RFC 3986), which print without the secrets in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "lib/base/result.hpp"

namespace sealift::net {

/// An absolute http or https URL with a host. Only parse() and resolve() make one, so it is always valid.
class Url {
 public:
  /// At most 8 KiB; control characters, spaces and other schemes are refused (invalid_argument).
  static Result<Url> parse(std::string_view text);

  /// "http" or "https".
  const std::string& scheme() const { return scheme_; }
  /// Lower case, an IPv6 address in brackets.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_; }
  /// "host" or "host:port" when the port is not the scheme's own.
  std::string authority() const;
  /// "https://host:port"
  std::string origin() const { return scheme_ + "://" + authority(); }
  /// From '/' on, without query and fragment.
  const std::string& path() const { return path_; }
  /// Without '?'; may be empty.
  const std::string& query() const { return query_; }
  bool has_login() const { return !userinfo_.empty(); }
  /// Name of the first query parameter that is a credential by its name (token, sig, X-Amz-Signature,
  /// password ...). Stricter than what str() hides: `?keyword=` and `?author=` are none.
  std::optional<std::string> credential_parameter() const;
  /// The part of the path after its last '/', percent-decoded; may be empty.
  std::string filename() const;

  /// With everything that was given: for sending only.
  std::string reveal() const;
  /// For people and logs: user name and password become "***", so do the values of query parameters that look
  /// like secrets (signature, token, key, credential, password ...).
  std::string str() const;

  /// Resolves a Location header against this URL (RFC 3986, section 5). A target of the same origin keeps the
  /// login of this URL unless it has its own; no other origin gets it.
  Result<Url> resolve(std::string_view location) const;
  /// The same scheme, host and port.
  bool same_origin(const Url& other) const;

 private:
  Url() = default;
  Result<Url> target_of(std::string_view location) const;
  std::string scheme_;
  std::string userinfo_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string path_;
  std::string query_;
};

/// Text that was meant as a URL or host, for errors: without what may be a login or a query; at most 200
/// bytes.
std::string redacted(std::string_view text);

/// Percent-encodes everything but RFC 3986's unreserved characters, for one query value.
std::string percent_encode(std::string_view text);

}  // namespace sealift::net

template <>
struct fmt::formatter<sealift::net::Url> : fmt::formatter<std::string> {
  template <typename Context>
  auto format(const sealift::net::Url& url, Context& context) const {
    return fmt::formatter<std::string>::format(url.str(), context);
  }
};
