/// Ed25519 signatures (RFC 8032) over exact bytes, as `openssl pkeyutl -verify -rawin` checks them; keys as
/// PEM (RFC 8410).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift {

/// A public key. `id` is the lower-case hex sha256 of its DER SubjectPublicKeyInfo.
class PublicKey {
 public:
  static Result<PublicKey> from_pem(std::string_view pem, std::string_view what);
  static Result<PublicKey> from_file(const fs::path& path);

  const std::string& id() const { return id_; }
  std::string pem() const;
  /// `signature` is the raw 64 bytes.
  bool verify(std::string_view message, std::string_view signature) const;

 private:
  friend class PrivateKey;
  explicit PublicKey(std::string raw);
  std::string raw_;  // 32 bytes
  std::string id_;
};

/// A private key; the bytes are wiped when it goes and it is never printed.
class PrivateKey {
 public:
  static Result<PrivateKey> generate();
  /// Refuses a file that others can read.
  static Result<PrivateKey> from_file(const fs::path& path);
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  const PublicKey& public_key() const { return public_; }
  /// PKCS#8 PEM.
  std::string pem() const;
  /// 64 raw bytes.
  Result<std::string> sign(std::string_view message) const;

 private:
  PrivateKey(std::string raw, PublicKey public_key);
  std::string raw_;  // 32 bytes seed
  PublicKey public_;
};

}  // namespace sealift
