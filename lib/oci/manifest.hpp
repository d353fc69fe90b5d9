/// Manifests and indexes of images, as OCI (image-spec 1.1) and Docker (schema 2) write them.
///
/// Everything here comes from outside: a document may have at most 4 MiB, 10 000 descriptors and 64 levels,
/// and every digest and size is checked for its form. Unknown members are ignored. The bytes themselves are
/// never rewritten: digests are over them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"
#include "lib/oci/platform.hpp"

namespace sealift::oci {

inline constexpr std::uint64_t kMaxManifestBytes = 4ULL << 20;
inline constexpr std::size_t kMaxDescriptors = 10'000;

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerManifestList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";

/// Points at content by digest and size (OCI image-spec, descriptor.md).
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> urls;  ///< elsewhere to get it; set by foreign layers
};

struct Manifest {
  std::string media_type;
  std::optional<Descriptor> config;  ///< absent in artifact manifests
  std::vector<Descriptor> layers;    ///< `blobs` of artifact manifests
  std::optional<Descriptor> subject;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

using Document = std::variant<Manifest, Index>;

bool is_index_type(std::string_view media_type);
bool is_manifest_type(std::string_view media_type);
/// Layers that registries do not give out (Windows base layers): `nondistributable` and `foreign` media
/// types.
bool is_foreign_layer(std::string_view media_type);
/// True for the config of something a container runtime can run, false for charts, signatures and other
/// artifacts.
bool is_image_config_type(std::string_view media_type);

/// Parses a manifest or an index. `media_type` is what the descriptor or the response said and may be empty;
/// the document's own `mediaType` may be absent (umoci writes none) but must not contradict it. With neither,
/// the members decide. Errors: integrity (with `what` and the place), unsupported (Docker schema 1, an
/// unknown media type).
Result<Document> parse_document(std::string_view text, std::string_view media_type, std::string_view what);

/// The platform an image's config names. Errors: integrity.
Result<Platform> parse_config_platform(std::string_view text, std::string_view what);

}  // namespace sealift::oci
