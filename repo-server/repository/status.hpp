/// What the server says of itself: /healthz, /readyz, /metrics.
#pragma once

#include <string>

#include "repo-server/http/message.hpp"
#include "repo-server/http/statistics.hpp"
#include "repo-server/mount/overlay.hpp"
#include "repo-server/mount/verification.hpp"
#include "repo-server/web/pages.hpp"

namespace sealift::repo_server {

/// Everything must outlive it.
class ServerStatus {
 public:
  ServerStatus(const Overlay& overlay, const BackgroundVerification& verification,
               const http::Statistics& statistics)
      : overlay_(overlay), verification_(verification), statistics_(statistics) {}

  /// 200 while the process answers at all.
  http::Response health() const;
  /// 200 when every bundle is mounted and unchanged, else 503. The body tells how far full verification is:
  /// {"status":"ready","verified":true,"bundles":[{"file","name","version","root","verification","bytesDone","bytesTotal","error"}]}
  http::Response readiness() const;
  /// One row a bundle for the front page.
  std::vector<BundleRow> bundle_rows() const;
  /// Prometheus text format 0.0.4.
  http::Response metrics() const;

 private:
  const Overlay& overlay_;
  const BackgroundVerification& verification_;
  const http::Statistics& statistics_;
};

}  // namespace sealift::repo_server
