#include "lib/crypto/certificate.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/crypto/digest.hpp"

namespace sealift {
namespace {

struct Free {
  void operator()(BIO* x) const { BIO_free_all(x); }
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(BIGNUM* x) const { BN_free(x); }
  void operator()(GENERAL_NAMES* x) const { GENERAL_NAMES_free(x); }
  void operator()(GENERAL_NAME* x) const { GENERAL_NAME_free(x); }
  void operator()(X509_EXTENSION* x) const { X509_EXTENSION_free(x); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

constexpr std::chrono::hours kBackdated{24};
constexpr long kX509Version3 = 2;

tl::unexpected<Error> openssl_failure(std::string_view doing) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return fail(ErrorCode::internal, "{}: {}", doing, text.data());
}

std::string drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<Owned<X509>> parse_certificate(std::string_view pem, std::string_view what) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!certificate) {
    return fail(ErrorCode::invalid_argument,
                "{}: expected a PEM certificate (-----BEGIN CERTIFICATE-----), found something else", what);
  }
  return certificate;
}

Result<Owned<EVP_PKEY>> parse_key(std::string_view pem, std::string_view what) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // The callback answers an encrypted key with "no password" instead of asking on the terminal.
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  ERR_clear_error();
  if (!key)
    return fail(ErrorCode::invalid_argument,
                "{}: expected an unencrypted PEM private key, found something else", what);
  return key;
}

Result<std::string> key_to_pem(EVP_PKEY* key) {
  const Owned<BIO> bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_failure("writing a private key");
  return drain(bio.get());
}

Result<std::string> certificate_to_pem(X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) return openssl_failure("writing a certificate");
  return drain(bio.get());
}

Status set_serial(X509* certificate) {
  std::string bytes = random_bytes(16);
  bytes[0] = static_cast<char>((static_cast<unsigned char>(bytes[0]) & 0x7fU) |
                               0x40U);  // positive and of constant length
  const Owned<BIGNUM> number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr)
    return openssl_failure("numbering a certificate");
  return {};
}

Status set_lifetime(X509* certificate, Timestamp from, Timestamp to) {
  const auto first = static_cast<time_t>(from.time_since_epoch().count());
  const auto last = static_cast<time_t>(to.time_since_epoch().count());
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), first) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), last) == nullptr) {
    return openssl_failure("dating a certificate");
  }
  return {};
}

Status set_common_name(X509_NAME* name, const std::string& text) {
  // RFC 5280 limits a common name to 64 characters.
  const std::string cut = text.substr(0, 64);
  if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(cut.data()),
                                 static_cast<int>(cut.size()), -1, 0) != 1) {
    return openssl_failure("naming a certificate");
  }
  return {};
}

/// `value` in OpenSSL's own notation; never anything from outside.
Status add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    return openssl_failure("extending a certificate");
  return {};
}

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '*';
  });
}

Result<Owned<GENERAL_NAME>> general_name(int type, std::string_view data) {
  Owned<GENERAL_NAME> name(GENERAL_NAME_new());
  ASN1_STRING* value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
  if (!name || value == nullptr || ASN1_STRING_set(value, data.data(), static_cast<int>(data.size())) != 1) {
    ASN1_STRING_free(value);
    return openssl_failure("naming a server");
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  return name;
}

Result<std::string> address_bytes(const std::string& address) {
  std::array<char, 16> raw{};
  if (inet_pton(AF_INET, address.c_str(), raw.data()) == 1) return std::string(raw.data(), 4);
  if (inet_pton(AF_INET6, address.c_str(), raw.data()) == 1) return std::string(raw.data(), 16);
  return fail(ErrorCode::invalid_argument, "'{}' is not a numeric IPv4 or IPv6 address", address);
}

Status add_names(X509* certificate, const ServerNames& names) {
  const Owned<GENERAL_NAMES> all(GENERAL_NAMES_new());
  const auto add = [&](Result<Owned<GENERAL_NAME>> name) -> Status {
    if (!name) return tl::unexpected(std::move(name).error());
    if (sk_GENERAL_NAME_push(all.get(), name->get()) == 0) return openssl_failure("naming a server");
    (void)name->release();
    return {};
  };
  for (const std::string& dns : names.dns) {
    if (!is_host_name(dns))
      return fail(ErrorCode::invalid_argument, "'{}' is not a host name a certificate can carry", dns);
    TRY(add(general_name(GEN_DNS, dns)));
  }
  for (const std::string& address : names.addresses) {
    TRY_ASSIGN(const std::string raw, address_bytes(address));
    TRY(add(general_name(GEN_IPADD, raw)));
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) != 1)
    return openssl_failure("naming a server");
  return {};
}

Timestamp to_timestamp(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Timestamp(std::chrono::seconds(timegm(&parts)));
}

std::string common_name(const X509_NAME* name) {
  std::array<char, 256> text{};
  X509_NAME_get_text_by_NID(name, NID_commonName, text.data(), text.size());
  return text.data();
}

std::string address_text(const ASN1_OCTET_STRING* raw) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(raw);
  if (length != 4 && length != 16) return {};
  inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(raw), text.data(), text.size());
  return text.data();
}

ServerNames read_names(X509* certificate) {
  ServerNames names;
  const Owned<GENERAL_NAMES> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      names.dns.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                             static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      names.addresses.push_back(address_text(name->d.iPAddress));
    }
  }
  std::ranges::sort(names.dns);
  std::ranges::sort(names.addresses);
  return names;
}

}  // namespace

Result<CertifiedKey> create_authority(const std::string& name, Timestamp now, std::chrono::days lifetime) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  if (!key || !certificate) return openssl_failure("making a key");
  X509_set_version(certificate.get(), kX509Version3);
  TRY(set_serial(certificate.get()));
  TRY(set_lifetime(certificate.get(), now - kBackdated, now + lifetime));
  TRY(set_common_name(X509_get_subject_name(certificate.get()), name));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_set_pubkey(certificate.get(), key.get());
  TRY(add_extension(certificate.get(), certificate.get(), NID_basic_constraints,
                    "critical,CA:TRUE,pathlen:0"));
  TRY(add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash"));
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0)
    return openssl_failure("signing the authority's certificate");
  CertifiedKey out;
  TRY_ASSIGN(out.certificate_pem, certificate_to_pem(certificate.get()));
  TRY_ASSIGN(out.key_pem, key_to_pem(key.get()));
  return out;
}

Result<CertifiedKey> issue_server_certificate(const CertifiedKey& authority, const ServerNames& names,
                                              Timestamp now, std::chrono::days lifetime) {
  if (names.dns.empty() && names.addresses.empty())
    return fail(ErrorCode::invalid_argument, "a server certificate needs a name or an address");
  TRY_ASSIGN(const Owned<X509> issuer,
             parse_certificate(authority.certificate_pem, "the authority's certificate"));
  TRY_ASSIGN(const Owned<EVP_PKEY> issuer_key, parse_key(authority.key_pem, "the authority's key"));
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::invalid_argument, "the authority's key does not belong to its certificate");
  }
  const Timestamp end = std::min(now + std::min(lifetime, kMaxServerLifetime) - kBackdated,
                                 to_timestamp(X509_get0_notAfter(issuer.get())));
  if (end <= now)
    return fail(ErrorCode::precondition,
                "the authority's certificate has expired; remove it to have a new one made");

  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  if (!key || !certificate) return openssl_failure("making a key");
  X509_set_version(certificate.get(), kX509Version3);
  TRY(set_serial(certificate.get()));
  TRY(set_lifetime(certificate.get(), now - kBackdated, end));
  TRY(set_common_name(X509_get_subject_name(certificate.get()),
                      names.dns.empty() ? names.addresses.front() : names.dns.front()));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  X509_set_pubkey(certificate.get(), key.get());
  TRY(add_extension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE"));
  TRY(add_extension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature"));
  TRY(add_extension(certificate.get(), issuer.get(), NID_ext_key_usage, "serverAuth"));
  TRY(add_extension(certificate.get(), issuer.get(), NID_subject_key_identifier, "hash"));
  TRY(add_extension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid:always"));
  TRY(add_names(certificate.get(), names));
  if (X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) == 0)
    return openssl_failure("signing a server certificate");
  CertifiedKey out;
  TRY_ASSIGN(out.certificate_pem, certificate_to_pem(certificate.get()));
  TRY_ASSIGN(out.key_pem, key_to_pem(key.get()));
  return out;
}

Result<CertificateInfo> read_certificate(std::string_view pem, std::string_view what) {
  TRY_ASSIGN(const Owned<X509> certificate, parse_certificate(pem, what));
  CertificateInfo info;
  info.subject = common_name(X509_get_subject_name(certificate.get()));
  info.issuer = common_name(X509_get_issuer_name(certificate.get()));
  info.not_before = to_timestamp(X509_get0_notBefore(certificate.get()));
  info.not_after = to_timestamp(X509_get0_notAfter(certificate.get()));
  info.is_ca = X509_check_ca(certificate.get()) == 1;
  info.names = read_names(certificate.get());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length) != 1)
    return openssl_failure("digesting a certificate");
  info.fingerprint = to_hex(std::as_bytes(std::span(digest).first(length)));
  return info;
}

Result<bool> is_signed_by(std::string_view certificate_pem, std::string_view authority_pem) {
  TRY_ASSIGN(const Owned<X509> certificate, parse_certificate(certificate_pem, "the certificate"));
  TRY_ASSIGN(const Owned<X509> authority, parse_certificate(authority_pem, "the authority's certificate"));
  const bool good = X509_check_issued(authority.get(), certificate.get()) == X509_V_OK &&
                    X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return good;
}

Result<bool> key_matches(const CertifiedKey& pair) {
  TRY_ASSIGN(const Owned<X509> certificate, parse_certificate(pair.certificate_pem, "the certificate"));
  TRY_ASSIGN(const Owned<EVP_PKEY> key, parse_key(pair.key_pem, "the private key"));
  const bool good = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace sealift
