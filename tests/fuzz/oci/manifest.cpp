#include "lib/oci/manifest.hpp"

#include <cstdlib>

/// Whatever is accepted keeps the promises of the header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type :
       {std::string_view(), sealift::oci::kOciManifest, sealift::oci::kDockerManifestList}) {
    const auto document = sealift::oci::parse_document(text, type, "fuzz");
    if (!document) continue;
    if (const auto* index = std::get_if<sealift::oci::Index>(&*document)) {
      if (!sealift::oci::is_index_type(index->media_type) ||
          index->manifests.size() > sealift::oci::kMaxDescriptors)
        std::abort();
    } else if (!sealift::oci::is_manifest_type(std::get<sealift::oci::Manifest>(*document).media_type)) {
      std::abort();
    }
  }
  (void)sealift::oci::parse_config_platform(text, "fuzz");
  return 0;
}
