/// The signature slot: text lines `ed25519 <key id> <base64 signature>`, filled with newlines to 4096 bytes,
/// so that a shell, base64 and openssl are enough to check it (docs/bundle-format.md, section 5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/crypto/ed25519.hpp"

namespace sealift::bundle {

struct SignatureLine {
  std::string key_id;     ///< 64 lower-case hex digits
  std::string signature;  ///< 64 raw bytes
};

/// Strict: anything but well-formed lines and filling is ErrorCode::integrity; one line a key.
Result<std::vector<SignatureLine>> parse_signatures(std::string_view slot);

/// Exactly 4096 bytes; too many signatures (more than 25) is an error.
Result<std::string> write_signatures(const std::vector<SignatureLine>& lines);

/// Adds the signature of `key` over `contents_text`, replacing an earlier one by the same key; sorted by key
/// id.
Status add_signature(std::vector<SignatureLine>& lines, const PrivateKey& key,
                     std::string_view contents_text);

}  // namespace sealift::bundle
