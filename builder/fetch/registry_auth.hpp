/// Answers a registry's 401: Basic, and Docker's token authentication (distribution: spec/auth/token,
/// spec/auth/oauth).
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/fetch/credentials.hpp"
#include "builder/fetch/mirror_map.hpp"
#include "lib/base/result.hpp"
#include "lib/net/secret.hpp"
#include "lib/net/transport.hpp"

namespace sealift::builder {

/// One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1).
struct Challenge {
  std::string scheme;                             ///< lower case
  std::map<std::string, std::string> parameters;  ///< names in lower case
};

/// Malformed parts are left out; at most 16 challenges of at most 32 parameters.
std::vector<Challenge> parse_challenges(std::string_view header);

/// Keeps the tokens of a run, by registry and repository. Thread-safe.
class RegistryAuth {
 public:
  RegistryAuth(net::Transport& transport, const Credentials& credentials)
      : transport_(&transport), credentials_(&credentials) {}

  /// The value for the Authorization header, or nothing when none was needed so far or it is about to expire.
  net::Secret current(const RegistryLocation& location);
  /// Gets an authorization that answers the challenge in `response` (a 401). Errors: authentication (says
  /// what to do), untrusted (a token server without TLS for a registry with TLS), and those of the transport.
  Result<net::Secret> answer(const RegistryLocation& location, const net::Response& response);
  /// "log in with ... " for an error message.
  std::string login_hint(const RegistryLocation& location) const;

 private:
  struct Granted {
    net::Secret authorization;
    std::chrono::steady_clock::time_point expires;
  };
  Result<Granted> fetch_token(const RegistryLocation& location, const Challenge& challenge,
                              const std::optional<Login>& login);

  net::Transport* transport_;
  const Credentials* credentials_;
  std::mutex mutex_;
  std::map<std::string, Granted> granted_;
};

}  // namespace sealift::builder
