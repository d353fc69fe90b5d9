/// Where everything lies in a bundle: names and sizes in order give every offset (docs/bundle-format.md,
/// sections 2 and 3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/archive/tar_header.hpp"

namespace sealift::bundle {

inline constexpr const char* kOciLayoutPath = "oci-layout";
inline constexpr const char* kIndexPath = "index.json";
inline constexpr const char* kContentsPath = "sealift/bundle.json";
inline constexpr const char* kSignaturesPath = "sealift/signatures";
inline constexpr std::uint64_t kSignatureSlotBytes = 4096;
/// The whole content of oci-layout (OCI image-spec, image-layout.md).
inline constexpr const char* kOciLayoutText = "{\"imageLayoutVersion\":\"1.0.0\"}";

struct PlacedEntry {
  archive::TarEntry entry;
  std::uint64_t header_offset = 0;
  std::uint64_t data_offset = 0;
};

struct Layout {
  std::vector<PlacedEntry> entries;  ///< in the order of the file
  std::uint64_t size = 0;            ///< of the whole archive
};

/// Places the entries one after the other.
Layout lay_out(const std::vector<archive::TarEntry>& entries);

/// "blobs/sha256/<hex>"
std::string blob_path(const std::string& sha256_hex);

}  // namespace sealift::bundle
