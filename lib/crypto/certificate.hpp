/// X.509 for the site: a small certificate authority and the TLS server certificates it signs (RFC 5280).
/// ECDSA P-256 with SHA-256.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sealift {

/// A certificate with its private key, both PEM. The key (PKCS#8) is a secret: file mode 0600, never logged.
struct CertifiedKey {
  std::string certificate_pem;
  std::string key_pem;
};

/// Who a server certificate is for.
struct ServerNames {
  std::vector<std::string> dns;        ///< host names, lower case
  std::vector<std::string> addresses;  ///< numeric IPv4 and IPv6
};

struct CertificateInfo {
  std::string subject;  ///< common name
  std::string issuer;   ///< common name
  Timestamp not_before{};
  Timestamp not_after{};
  bool is_ca = false;
  ServerNames names;        ///< sorted; addresses in their canonical text form
  std::string fingerprint;  ///< lower-case hex sha256 of the DER
};

/// Apple and others refuse server certificates that live longer.
inline constexpr std::chrono::days kMaxServerLifetime{398};
inline constexpr std::chrono::days kCaLifetime{3652};

/// A self-signed authority that may sign server certificates only (path length 0). Valid from a day before
/// `now`, so that nodes whose clocks are behind accept it.
Result<CertifiedKey> create_authority(const std::string& common_name, Timestamp now,
                                      std::chrono::days lifetime = kCaLifetime);

/// A certificate for `names` (at least one), signed by `authority`; at most kMaxServerLifetime and never
/// longer than the authority lives.
Result<CertifiedKey> issue_server_certificate(const CertifiedKey& authority, const ServerNames& names,
                                              Timestamp now, std::chrono::days lifetime = kMaxServerLifetime);

/// Reads the first certificate of a PEM text; `what` names it in errors.
Result<CertificateInfo> read_certificate(std::string_view pem, std::string_view what);

/// Whether `certificate_pem` carries `authority_pem`'s signature and the authority may sign.
Result<bool> is_signed_by(std::string_view certificate_pem, std::string_view authority_pem);

/// Whether the private key belongs to the certificate.
Result<bool> key_matches(const CertifiedKey& pair);

}  // namespace sealift
