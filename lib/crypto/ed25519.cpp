#include "lib/crypto/ed25519.hpp"

#include <memory>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "lib/crypto/digest.hpp"

namespace sealift {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::uint64_t kMaxPemBytes = 64U << 10;

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;
using Bio = std::unique_ptr<BIO, BioDeleter>;
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Key public_key_of(const std::string& raw) {
  return Key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()));
}

Key private_key_of(const std::string& raw) {
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()));
}

Bio reading(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

/// A PEM that is encrypted must fail, not prompt on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

PublicKey::PublicKey(std::string raw) : raw_(std::move(raw)) {
  const Key key = public_key_of(raw_);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  id_ = digest_of(std::string_view(reinterpret_cast<char*>(der), static_cast<std::size_t>(size))).hex();
  OPENSSL_free(der);
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem, std::string_view what) {
  const Bio bio = reading(pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return fail(ErrorCode::invalid_argument,
                "{} is not an Ed25519 public key in PEM form (expected -----BEGIN PUBLIC KEY-----; make one "
                "with `sealift keygen`)",
                what);
  }
  std::string raw(kKeyBytes, '\0');
  std::size_t size = raw.size();
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
  return PublicKey(std::move(raw));
}

Result<PublicKey> PublicKey::from_file(const fs::path& path) {
  TRY_ASSIGN(const std::string pem, read_file(path, kMaxPemBytes));
  return from_pem(pem, path.string());
}

std::string PublicKey::pem() const {
  const Key key = public_key_of(raw_);
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), key.get());
  return text_of(bio.get());
}

bool PublicKey::verify(std::string_view message, std::string_view signature) const {
  if (signature.size() != kSignatureBytes) return false;
  const Key key = public_key_of(raw_);
  const Context context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

PrivateKey::PrivateKey(std::string raw, PublicKey public_key)
    : raw_(std::move(raw)), public_(std::move(public_key)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() { OPENSSL_cleanse(raw_.data(), raw_.size()); }

Result<PrivateKey> PrivateKey::generate() {
  std::string raw = random_bytes(kKeyBytes);
  const Key key = private_key_of(raw);
  std::string public_raw(kKeyBytes, '\0');
  std::size_t size = public_raw.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_raw.data()),
                                          &size) != 1) {
    return fail(ErrorCode::internal, "OpenSSL could not make an Ed25519 key");
  }
  return PrivateKey(std::move(raw), PublicKey(std::move(public_raw)));
}

Result<PrivateKey> PrivateKey::from_file(const fs::path& path) {
  TRY_ASSIGN(const FileDescriptor file, open_for_reading(path));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(errno, path.string());
  if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::untrusted, "{}: mode {:04o} lets others use this private key; run: chmod 600 {}",
                path.string(), info.st_mode & 07777, path.string());
  }
  if (static_cast<std::uint64_t>(info.st_size) > kMaxPemBytes) {
    return fail(ErrorCode::invalid_argument, "{} is too large for a private key", path.string());
  }
  std::string pem(static_cast<std::size_t>(info.st_size), '\0');
  TRY(read_exactly_at(file, 0, std::as_writable_bytes(std::span(pem))));
  const Bio bio = reading(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return fail(ErrorCode::invalid_argument, "{} is not an unencrypted Ed25519 private key in PEM form",
                path.string());
  }
  std::string raw(kKeyBytes, '\0');
  std::string public_raw(kKeyBytes, '\0');
  std::size_t size = raw.size();
  EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_raw.data()), &size);
  return PrivateKey(std::move(raw), PublicKey(std::move(public_raw)));
}

std::string PrivateKey::pem() const {
  const Key key = private_key_of(raw_);
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

Result<std::string> PrivateKey::sign(std::string_view message) const {
  const Key key = private_key_of(raw_);
  const Context context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(message), message.size()) != 1) {
    return fail(ErrorCode::internal, "OpenSSL could not sign");
  }
  return signature;
}

}  // namespace sealift
