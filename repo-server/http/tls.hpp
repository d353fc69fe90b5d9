/// The TLS side of the server: one OpenSSL context from a certificate chain and a key.
#pragma once

#include <memory>
#include <string_view>

#include "lib/base/result.hpp"

struct ssl_ctx_st;

namespace sealift::repo_server::http {

using TlsContext = std::shared_ptr<ssl_ctx_st>;

/// TLS 1.2 and later, HTTP/1.1 by ALPN, no client certificates. `chain_pem` begins with the server's own
/// certificate.
Result<TlsContext> make_server_tls(std::string_view chain_pem, std::string_view key_pem);

}  // namespace sealift::repo_server::http
