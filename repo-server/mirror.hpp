/// The running mirror: bundles verified and mounted, registry and repository served. `sealift serve` and the
/// installer start one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/verify.hpp"
#include "repo-server/http/access_log.hpp"
#include "repo-server/http/server.hpp"
#include "repo-server/http/statistics.hpp"
#include "repo-server/mount/overlay.hpp"

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

  std::uint16_t registry_port() const { return registry_port_; }
  std::uint16_t repository_port() const { return repository_port_; }
  /// PEM of the site's CA; empty without TLS or with a given certificate.
  const std::string& ca_pem() const { return ca_pem_; }

  /// What the open bundle files are like now, in the order of the options.
  std::vector<bundle::FileIdentity> files() const;
  /// False once somebody has touched a bundle. What was written to or cut is refused from then on.
  bool is_untouched() const;
  /// Opens and verifies the bundles that were touched, as start() does, and answers from what they hold now.
  /// The others, and what is being sent from them, are not disturbed. One that cannot be mounted stays as it
  /// was; the error is of the first of them.
  Status remount();
  /// For the connections to come: a new certificate of the site's own where the present one lacks a name or
  /// has less than 30 days left at `now`, or what lies in the given files by then. Files of LoadCredential=
  /// are copies of the service's start and never change. Warns when a given one has less than 30 days left.
  Status renew_certificate(Timestamp now);

  /// Lets answers in flight finish for at most `grace`. Idempotent.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Service;
  class Front;
  Mirror(MirrorOptions options, Log& log);
  Result<std::shared_ptr<const MountedBundle>> open_bundle(const fs::path& path) const;
  std::shared_ptr<Service> make_service(Overlay overlay) const;
  std::shared_ptr<Service> service() const;

  const MirrorOptions options_;
  Log& log_;
  std::unique_ptr<http::AccessLog> access_log_;
  http::Statistics statistics_;
  bundle::TrustPolicy policy_;
  std::string ca_pem_;
  std::string certificate_pem_;
  std::uint16_t registry_port_ = 0;
  std::uint16_t repository_port_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<Service> service_;  // guarded by mutex_
  std::unique_ptr<http::Handler> registry_;
  std::unique_ptr<http::Handler> repository_;
  std::unique_ptr<http::Server> server_;
};

/// Runs a mirror until SIGTERM or SIGINT; a second signal ends the process at once. Tells systemd when it is
/// ready (sd_notify(3)). A bundle that changes is mounted anew once nobody writes to it any more and its
/// signatures hold; the server certificate is renewed in time.
Status serve(const MirrorOptions& options, Log& log);

}  // namespace sealift::repo_server
