#include "repo-server/http/tls.hpp"

#include <array>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace sealift::repo_server::http {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

tl::unexpected<Error> openssl_failure(std::string_view doing) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return fail(ErrorCode::invalid_argument, "{}: {}", doing, text.data());
}

std::unique_ptr<BIO, Free> memory_bio(std::string_view text) {
  return std::unique_ptr<BIO, Free>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int choose_http11(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                  unsigned int in_length, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kHttp11.data(), kHttp11.size(), in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<TlsContext> make_server_tls(std::string_view chain_pem, std::string_view key_pem) {
  const TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return openssl_failure("setting up TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_sess_set_cache_size(context.get(), 1024);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http11, nullptr);

  const auto chain = memory_bio(chain_pem);
  std::unique_ptr<X509, Free> certificate(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!certificate || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1)
    return openssl_failure("reading the TLS certificate");
  while (X509* issuer = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context.get(), issuer) != 1) {
      X509_free(issuer);
      return openssl_failure("reading the TLS certificate chain");
    }
  }
  ERR_clear_error();  // the end of the PEM text is reported as an error
  const auto key_text = memory_bio(key_pem);
  std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    return openssl_failure("reading the TLS private key");
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return openssl_failure("the TLS private key does not belong to the certificate");
  return context;
}

}  // namespace sealift::repo_server::http
