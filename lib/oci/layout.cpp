#include "lib/oci/layout.hpp"

#include "lib/base/json.hpp"
#include "lib/oci/manifest.hpp"

namespace sealift::oci {

std::string write_layout_index(const std::vector<NamedImage>& images) {
  json::Array manifests;
  for (const NamedImage& image : images) {
    json::Object descriptor;
    descriptor["mediaType"] = image.media_type;
    descriptor["digest"] = image.digest.str();
    descriptor["size"] = image.size;
    if (!image.name.empty()) {
      json::Object annotations;
      annotations["org.opencontainers.image.ref.name"] = image.name;
      annotations["io.containerd.image.name"] = image.name;
      descriptor["annotations"] = std::move(annotations);
    }
    manifests.push_back(std::move(descriptor));
  }
  json::Object index;
  index["schemaVersion"] = 2;
  index["mediaType"] = std::string(kOciIndex);
  index["manifests"] = std::move(manifests);
  return json::serialize(index);
}

}  // namespace sealift::oci
