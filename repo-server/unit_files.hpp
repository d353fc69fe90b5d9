/// systemd units for `sealift serve`.
#pragma once

#include <string>
#include <vector>

namespace sealift::repo_server {

/// StateDirectory= of the unit.
/// Not /var/lib/sealift: systemd would take that from an installation.
inline constexpr const char* kUnitStateDirectory = "/var/lib/sealift-serve";

struct UnitSettings {
  std::string program;                 ///< absolute path
  std::vector<std::string> arguments;  ///< of `sealift serve`, without --state-dir, --tls-cert, --tls-key
  std::string tls_certificate;         ///< absolute path, or empty for the site's own CA
  std::string tls_key;                 ///< likewise
  std::vector<std::string> listen;     ///< of both ports: "0.0.0.0:5000", "[::]:12480"
};

/// Text of /etc/systemd/system/sealift.service: a dynamic user without privileges, everything read-only but
/// its state directory. The bundles must be readable by others; a given TLS key must not be, so systemd reads
/// it and hands it over as a credential (systemd.exec(5), LoadCredential=).
std::string service_unit(const UnitSettings& settings);
/// Text of /etc/systemd/system/sealift.socket: systemd listens, the server starts with the first connection.
std::string socket_unit(const UnitSettings& settings);
/// Text of /etc/systemd/system/sealift-tls.path for a given certificate: credentials are copies made when the
/// service starts, so whoever replaces the files needs it started again.
std::string certificate_path_unit(const UnitSettings& settings);
/// Text of /etc/systemd/system/sealift-tls.service, which that path unit starts.
std::string certificate_service_unit();

}  // namespace sealift::repo_server
