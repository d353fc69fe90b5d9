/// From a lock to the exact shape of the bundle: every entry's offset is known before the first byte is
/// fetched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/bundle/contents.hpp"
#include "lib/bundle/layout.hpp"
#include "lib/bundle/lock.hpp"

namespace sealift::bundle {

/// A file of the served tree that the builder makes itself: repository metadata, public keys, the SBOM.
struct GeneratedFile {
  std::string path;
  std::string media_type;
  std::string content;
};

/// The static program that travels in the bundle, as "sealift/sealift-linux-<architecture>".
struct ProgramFile {
  std::string architecture;  ///< "amd64"
  std::string content;
};

/// An entry whose bytes are at hand.
struct HeldEntry {
  std::uint64_t offset = 0;
  std::string content;
};

/// A blob still to be fetched into the file. Its bytes there are those of blob.bundled_digest().
struct WantedBlob {
  LockedBlob blob;
  std::uint64_t offset = 0;
};

struct Plan {
  Contents contents;
  std::string contents_text;  ///< exact bytes of sealift/bundle.json
  std::uint64_t signatures_offset = 0;
  Layout layout;
  std::vector<HeldEntry> held;     ///< head entries, generated and inlined blobs
  std::vector<WantedBlob> wanted;  ///< in the order of the file
  std::uint64_t wanted_bytes = 0;  ///< to fetch; compressed blobs take less in the file
};

/// Deterministic: the same lock, generated files and programs give the same plan, byte for byte.
Result<Plan> plan_bundle(const Lock& lock, std::vector<GeneratedFile> generated,
                         std::vector<ProgramFile> programs);

}  // namespace sealift::bundle
