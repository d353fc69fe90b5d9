/// OpenPGP (RFC 4880) as package repositories use it: check upstream signatures, sign our own repositories.
///
/// Only the builder links this (RNP has no static archive). Grammar of what is read and written:
///   cleartext   "-----BEGIN PGP SIGNED MESSAGE-----" … "-----END PGP SIGNATURE-----"   (InRelease)
///   detached    an armoured or binary signature beside the file it signs               (Release +
///   Release.gpg) key ring    binary packets (.gpg) or one or more armoured blocks (.asc)
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift::openpgp {

/// What a successful check vouches for.
struct SignedText {
  std::string text;                       ///< exactly what was signed, never what merely stood around it
  std::vector<std::string> fingerprints;  ///< upper-case hex, of the primary keys whose signatures are good
};

/// Public keys that may sign one repository. Copies share the loaded keys' bytes.
class Keyring {
 public:
  /// Limit 16 MiB. `what` names it in errors. Fails when it holds no usable public key, or is a GnuPG keybox.
  static Result<Keyring> parse(std::string content, std::string what);
  static Result<Keyring> from_file(const fs::path& path);

  const std::string& what() const { return what_; }

 private:
  friend Result<SignedText> verify_cleartext(std::string_view, const Keyring&, Timestamp, std::string_view);
  friend Result<SignedText> verify_detached(std::string_view, std::string_view, const Keyring&, Timestamp,
                                            std::string_view);
  Keyring(std::string content, std::string what) : content_(std::move(content)), what_(std::move(what)) {}
  std::string content_;
  std::string what_;
};

/// Checks a cleartext-signed document such as InRelease, at most 16 MiB.
///
/// Needs at least one good signature by a key of `keyring` that at `now` is neither expired nor revoked, and
/// no signature from the future. Signatures by other keys are ignored when one is good. Anything before or
/// after the signed message makes it fail. Errors are ErrorCode::untrusted and name `what`, the keyring and
/// the key id.
Result<SignedText> verify_cleartext(std::string_view document, const Keyring& keyring, Timestamp now,
                                    std::string_view what);

/// The same for a document with its signature beside it (Release and Release.gpg).
Result<SignedText> verify_detached(std::string_view document, std::string_view signature,
                                   const Keyring& keyring, Timestamp now, std::string_view what);

enum class KeyAlgorithm {
  ed25519,  ///< EdDSA over Curve25519, v4: small and fast; apt, dnf and rpm of every supported system read it
  rsa4096,  ///< for EL 7
};

/// The key that signs the bundle's package repositories. Its secret part is wiped when it goes and never
/// printed.
class SecretKey {
 public:
  /// A v4 key that may certify and sign and never expires. `user_id`: "Sealift repository
  /// <name@example.com>".
  static Result<SecretKey> generate(KeyAlgorithm algorithm, const std::string& user_id, Timestamp created);
  /// Reads an unprotected secret key (armoured or binary); refuses a file that others can read.
  static Result<SecretKey> from_file(const fs::path& path);

  SecretKey(SecretKey&&) noexcept;
  SecretKey& operator=(SecretKey&&) noexcept;
  ~SecretKey();

  /// Upper-case hex, 40 digits.
  const std::string& fingerprint() const;
  /// The first user id.
  const std::string& user_id() const;
  Timestamp created() const;

  /// Public key in binary packets, for a `signed-by=….gpg`. The same key gives the same bytes.
  const std::string& public_key() const;
  /// Public key armoured with plain '\n' ends of line (apt refuses CRLF), for `signed-by=….asc` and rpm.
  const std::string& armoured_public_key() const;
  /// Armoured, unprotected, 0600; refuses to overwrite an existing file.
  Status write_file(const fs::path& path) const;

  /// Cleartext signature of a document of plain lines (no CR), ends in a newline: an InRelease.
  /// The same key, document and time give the same bytes. `time` must not precede the key.
  Result<std::string> sign_cleartext(std::string_view document, Timestamp time) const;
  /// Armoured detached signature: a Release.gpg. Deterministic likewise.
  Result<std::string> sign_detached(std::string_view document, Timestamp time) const;

 private:
  struct State;
  explicit SecretKey(std::unique_ptr<State> state);
  static Result<SecretKey> load(std::string_view content, const std::string& what);
  std::unique_ptr<State> state_;
};

}  // namespace sealift::openpgp
