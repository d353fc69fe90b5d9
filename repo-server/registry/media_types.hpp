/// The media types a registry serves as manifests.
#pragma once

#include <string_view>

namespace sealift::repo_server {

inline constexpr std::string_view kOciIndexType = "application/vnd.oci.image.index.v1+json";

inline bool is_manifest_type(std::string_view type) {
  return type == "application/vnd.oci.image.manifest.v1+json" || type == kOciIndexType ||
         type == "application/vnd.docker.distribution.manifest.v2+json" ||
         type == "application/vnd.docker.distribution.manifest.list.v2+json" ||
         type == "application/vnd.oci.artifact.manifest.v1+json" ||
         type == "application/vnd.docker.distribution.manifest.v1+prettyjws";
}

}  // namespace sealift::repo_server
