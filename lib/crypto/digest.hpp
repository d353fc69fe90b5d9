/// Content digests: "sha256:<64 hex>" and "sha512:<128 hex>" (OCI image-spec, descriptor.md#digests).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"

namespace sealift {

enum class DigestAlgorithm { sha256, sha512 };

/// "sha256" or "sha512".
std::string_view to_string(DigestAlgorithm algorithm);

/// A well-formed digest. Only parse(), a Hasher and digest_of() make one, so a Digest is always valid.
class Digest {
 public:
  /// Accepts exactly `sha256:` or `sha512:` and lower-case hex of the right length.
  static Result<Digest> parse(std::string_view text);
  /// From bare hex; upper case is folded.
  static Result<Digest> from_hex(DigestAlgorithm algorithm, std::string_view hex);

  DigestAlgorithm algorithm() const { return algorithm_; }
  const std::string& hex() const { return hex_; }
  /// "sha256:…"
  std::string str() const;
  /// First twelve hex digits, for people.
  std::string short_hex() const { return hex_.substr(0, 12); }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Digest(DigestAlgorithm algorithm, std::string hex) : algorithm_(algorithm), hex_(std::move(hex)) {}
  DigestAlgorithm algorithm_;
  std::string hex_;
};

/// Digests a stream piece by piece.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm = DigestAlgorithm::sha256);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void update(Bytes data);
  /// Ends the stream; the hasher starts anew afterwards.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest digest_of(Bytes data, DigestAlgorithm algorithm = DigestAlgorithm::sha256);
inline Digest digest_of(std::string_view text) { return digest_of(as_bytes(text)); }

/// Passes bytes on while it checks them: more than `expected_size` fails at once, finish() fails on any
/// difference.
class VerifyingSink final : public Sink {
 public:
  /// `what` names the content in errors.
  VerifyingSink(Sink& to, Digest expected, std::uint64_t expected_size, std::string what);
  Status write(Bytes data) override;
  /// To be called at the end; ErrorCode::integrity with expected and found digest or size.
  Status finish();
  std::uint64_t written() const { return written_; }

 private:
  Sink* to_;
  Digest expected_;
  std::uint64_t expected_size_;
  std::string what_;
  Hasher hasher_;
  std::uint64_t written_ = 0;
};

/// Swallows everything.
class NullSink final : public Sink {
 public:
  Status write(Bytes) override { return {}; }
};

std::string to_hex(Bytes bytes);
std::string to_base64(Bytes bytes);
/// Standard alphabet with padding; anything else is an error.
Result<std::string> from_base64(std::string_view text);
/// `count` bytes of the operating system's randomness.
std::string random_bytes(std::size_t count);

}  // namespace sealift

template <>
struct std::hash<sealift::Digest> {
  std::size_t operator()(const sealift::Digest& digest) const noexcept {
    return std::hash<std::string>{}(digest.hex());
  }
};
