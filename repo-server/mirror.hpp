/// The running mirror: bundles verified and mounted, registry and repository served. `sealift serve` and the
/// installer start one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "repo-server/http/server.hpp"

namespace sealift::repo_server {

struct MirrorOptions {
  std::vector<fs::path> bundles;  ///< later ones win
  std::vector<fs::path> keys;     ///< public keys that may sign
  unsigned threshold = 1;
  std::vector<std::string> listen = {"0.0.0.0"};  ///< numeric addresses
  std::uint16_t registry_port = 5000;             ///< 0: any free port
  std::uint16_t repository_port = 12480;
  std::optional<fs::path>
      state_directory;           ///< certificates and verification records; none: nothing is written
  std::string access_log = "-";  ///< as AccessLog::open
  http::TlsMode tls = http::TlsMode::both;
  std::optional<fs::path> tls_certificate;  ///< instead of the site's own CA; both or none
  std::optional<fs::path> tls_key;
  std::vector<std::string> names;      ///< further DNS names and
  std::vector<std::string> addresses;  ///< addresses for the server certificate
  bool verify_in_background = true;
  http::Limits limits;
};

class Mirror {
 public:
  /// Verifies the signatures, mounts, and serves when it returns. Sockets inherited from systemd are used
  /// instead of `listen`; each is recognised by its port. `log` must outlive the mirror.
  static Result<std::unique_ptr<Mirror>> start(const MirrorOptions& options, Log& log);
  /// Stops at once if stop() was not called.
  ~Mirror();

  std::uint16_t registry_port() const;
  std::uint16_t repository_port() const;
  /// PEM of the site's CA; empty without TLS or with a given certificate.
  const std::string& ca_pem() const;

  /// Lets answers in flight finish for at most `grace`. Idempotent.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Parts;
  explicit Mirror(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Runs a mirror until SIGTERM or SIGINT; a second signal ends the process at once. Tells systemd when it is
/// ready (sd_notify(3)).
Status serve(const MirrorOptions& options, Log& log);

}  // namespace sealift::repo_server
