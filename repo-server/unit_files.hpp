/// systemd units for `sealift serve`.
#pragma once

#include <cstdint>
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
  std::uint16_t registry_port = 5000;
  std::uint16_t repository_port = 12480;
};

/// Text of /etc/systemd/system/sealift.service: a dynamic user without privileges, everything read-only but
/// its state directory. The bundles must be readable by others; a given TLS key must not be, so systemd reads
/// it and hands it over as a credential (systemd.exec(5), LoadCredential=).
std::string service_unit(const UnitSettings& settings);
/// Text of /etc/systemd/system/sealift.socket: systemd listens, the server starts with the first connection.
std::string socket_unit(const UnitSettings& settings);

}  // namespace sealift::repo_server
