/// The site's own certificates: an authority made at the first start, and a server certificate that names
/// this machine.
///
///     <state>/tls/ca.crt ca.key server.crt server.key     keys are 0600
///     <state>/tls/lock                                    held while any of them is made
///
/// Keys are written before their certificates, the authority before the server's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/crypto/certificate.hpp"

namespace sealift::repo_server {

/// A server certificate with less than this left is renewed.
inline constexpr std::chrono::days kRenewBefore{30};

struct SiteTls {
  CertifiedKey server;         ///< certificate chain and key
  std::string ca_pem;          ///< what clients have to trust; empty with a certificate from outside
  std::string ca_fingerprint;  ///< sha256, hex
};

/// This machine's host name, "localhost", and its addresses except link-local ones, plus what is given.
ServerNames local_names(const std::vector<std::string>& more_names,
                        const std::vector<std::string>& more_addresses);

/// Reads the site's certificates from `state_directory` and makes what is missing. A server certificate that
/// lacks one of `names`, is not by this authority, or has less than 30 days left is made anew. So is an
/// authority of which only the key was written; where one that was in use lacks a part, ErrorCode::conflict.
/// Without a directory everything lives in memory only.
Result<SiteTls> site_tls(const std::optional<fs::path>& state_directory, const ServerNames& names,
                         Timestamp now);

/// A certificate chain and key given by the site; refuses a key others can read (a credential of systemd's
/// may show its group's bits), a pair that does not match, and an expired certificate.
Result<SiteTls> given_tls(const fs::path& certificate, const fs::path& key, Timestamp now);

}  // namespace sealift::repo_server
