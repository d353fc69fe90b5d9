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
  /// that exist of $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json and
  /// ~/.docker/config.json (or $DOCKER_CONFIG/config.json), earlier ones first.
  static Result<Credentials> load(const std::optional<fs::path>& authfile);
  /// `what` names the file in errors; at most 1 MiB. Errors never quote values.
  static Result<Credentials> parse(std::string_view text, std::string_view what);

  /// The login for a repository: the longest key of host/path, host/..., host; then the helper of that host;
  /// then credsStore. Runs `docker-credential-<helper> get`. nullopt: none is known, ask anonymously.
  Result<std::optional<Login>> find(const std::string& host, const std::string& repository) const;

  /// File the logins came from, for messages; empty when there is none.
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::map<std::string, Login> logins_;         ///< key: host, or host/path
  std::map<std::string, std::string> helpers_;  ///< host -> helper
  std::string store_;
  std::vector<Credentials> fallbacks_;
};

}  // namespace sealift::builder
