/// Logins for registries from docker's and podman's own files; Sealift keeps none of its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/net/secret.hpp"

namespace sealift::builder {

struct Login {
  std::string user;
  net::Secret password;
  net::Secret identity_token;  ///< OAuth2 refresh token, used instead of user and password
};

/// What docker's config.json and podman's auth.json hold: `auths` (auth, identitytoken), `credHelpers`,
/// `credsStore`.
class Credentials {
 public:
  /// No logins at all.
  Credentials() = default;

  /// Reads only `authfile` when it is given, else only $REGISTRY_AUTH_FILE (either must exist), else those
  /// of default_authfiles() that exist, earlier ones first.
  static Result<Credentials> load(const std::optional<fs::path>& authfile);
  /// `what` names the file in errors; at most 1 MiB. Errors never quote values.
  static Result<Credentials> parse(std::string_view text, std::string_view what);

  /// The login for a repository, from the first file that knows one: of the helper of that host, or else of
  /// credsStore, both by `docker-credential-<helper> get`; where that is not installed or knows nothing, of
  /// the longest key of host/path, host/..., host. nullopt: none is known, ask anonymously. An error when the
  /// helper fails, or the host's own is not installed and no key fits.
  Result<std::optional<Login>> find(const std::string& host, const std::string& repository) const;

  /// File the logins came from, for messages; empty when there is none.
  const std::string& source() const { return source_; }

 private:
  const Login* stored(const std::string& registry, const std::string& repository) const;

  std::string source_;
  std::map<std::string, Login> logins_;         ///< key: host, or host/path
  std::map<std::string, std::string> helpers_;  ///< host -> helper
  std::string store_;
  std::vector<Credentials> fallbacks_;
};

/// Podman's files, then docker's: $XDG_RUNTIME_DIR/containers/auth.json (/run/containers/<uid>/auth.json
/// without that variable), $XDG_CONFIG_HOME/containers/auth.json (~/.config), $DOCKER_CONFIG/config.json
/// (~/.docker). containers-auth.json(5).
std::vector<fs::path> default_authfiles();

}  // namespace sealift::builder
