/// Signing a bundle that is finished already.
#pragma once

#include <cstddef>
#include <span>

#include "lib/base/result.hpp"
#include "lib/bundle/reader.hpp"
#include "lib/crypto/ed25519.hpp"

namespace sealift::bundle {

struct SlotState {
  std::size_t signatures = 0;  ///< in all
  bool changed = false;        ///< false when all of them were there
};

/// Adds the signature of every key to the slot of the file, or replaces an earlier one by the same key, and
/// syncs; waits while somebody else does (flock). The table of contents is signed as it is. `file` keeps the
/// signatures it was opened with. ErrorCode::conflict when its name leads to another file by now.
Result<SlotState> sign_in_place(const BundleFile& file, std::span<const PrivateKey> keys);

}  // namespace sealift::bundle
