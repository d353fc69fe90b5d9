/// The index.json of an OCI image layout (image-spec, image-layout.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/crypto/digest.hpp"

namespace sealift::oci {

struct NamedImage {
  std::string name;  ///< full reference; empty: an artifact, listed without a name
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
};

/// One descriptor each, in the given order, with the full reference in `org.opencontainers.image.ref.name`
/// (skopeo, podman) and in `io.containerd.image.name` (ctr). Artifacts that are not images must have no name
/// here: a named chart makes `ctr images import` fail. Compact, no final newline.
std::string write_layout_index(const std::vector<NamedImage>& images);

}  // namespace sealift::oci
