#include "lib/oci/manifest.hpp"

#include "lib/base/json.hpp"

namespace sealift::oci {

namespace {

constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1";
constexpr std::uint64_t kMaxBlobBytes = 1ULL << 50;

Result<std::map<std::string, std::string>> read_annotations(const json::Reader& reader) {
  TRY_ASSIGN(const auto members, reader.string_map("annotations"));
  return std::map<std::string, std::string>(members.begin(), members.end());
}

Result<std::optional<Platform>> read_platform(const json::Reader& reader) {
  if (!reader.has("platform")) return std::optional<Platform>();
  TRY_ASSIGN(const json::Reader platform, reader.object("platform"));
  TRY_ASSIGN(std::string os, platform.string_or("os", ""));
  TRY_ASSIGN(std::string architecture, platform.string_or("architecture", ""));
  TRY_ASSIGN(std::string variant, platform.string_or("variant", ""));
  return std::optional<Platform>(Platform::of(std::move(os), std::move(architecture), std::move(variant)));
}

Result<Descriptor> read_descriptor(const json::Reader& reader) {
  TRY_ASSIGN(const std::string digest_text, reader.string("digest"));
  auto digest = Digest::parse(digest_text);
  if (!digest) return fail(ErrorCode::integrity, "{}.digest: {}", reader.path(), digest.error().message());
  Descriptor descriptor{"", std::move(*digest)};
  TRY_ASSIGN(descriptor.media_type, reader.string_or("mediaType", ""));
  TRY_ASSIGN(descriptor.size, reader.unsigned_integer("size"));
  if (descriptor.size > kMaxBlobBytes) {
    return fail(ErrorCode::integrity, "{}.size is {}, more than any blob can have ({})", reader.path(),
                descriptor.size, kMaxBlobBytes);
  }
  TRY_ASSIGN(descriptor.artifact_type, reader.string_or("artifactType", ""));
  TRY_ASSIGN(descriptor.annotations, read_annotations(reader));
  TRY_ASSIGN(descriptor.urls, reader.strings("urls"));
  TRY_ASSIGN(descriptor.platform, read_platform(reader));
  return descriptor;
}

Result<std::vector<Descriptor>> read_descriptors(const json::Reader& reader, std::string_view key) {
  std::vector<Descriptor> result;
  TRY(reader.each(key, [&](const json::Reader& item) -> Status {
    if (result.size() == kMaxDescriptors) {
      return fail(ErrorCode::integrity, "{}: more than {} entries", item.path(), kMaxDescriptors);
    }
    TRY_ASSIGN(Descriptor descriptor, read_descriptor(item));
    result.push_back(std::move(descriptor));
    return {};
  }));
  return result;
}

Result<std::optional<Descriptor>> read_optional_descriptor(const json::Reader& reader, std::string_view key) {
  if (!reader.has(key)) return std::optional<Descriptor>();
  TRY_ASSIGN(const json::Reader object, reader.object(key));
  TRY_ASSIGN(Descriptor descriptor, read_descriptor(object));
  return std::optional<Descriptor>(std::move(descriptor));
}

/// The media type the caller, the document and its members agree on. image-spec asks readers to refuse
/// documents that could be read as two things (CVE-2021-41190).
Result<std::string> decide_media_type(const json::Reader& root, std::string_view given) {
  TRY_ASSIGN(const std::string own, root.string_or("mediaType", ""));
  if (!own.empty() && !given.empty() && own != given) {
    return fail(ErrorCode::integrity, "{} says it is {}, but it was announced as {}", root.path(), own,
                given);
  }
  std::string type = own.empty() ? std::string(given) : own;
  const bool has_manifests = root.has("manifests");
  const bool has_layers = root.has("layers") || root.has("config") || root.has("fsLayers");
  if (has_manifests && has_layers) {
    return fail(ErrorCode::integrity, "{} has the members of an index and of a manifest", root.path());
  }
  if (type.empty()) {
    if (has_manifests) return std::string(kOciIndex);
    if (root.has("layers") && root.has("config")) return std::string(kOciManifest);
  }
  return type;
}

Result<Document> read_index(const json::Reader& root, std::string media_type) {
  if (!root.has("manifests"))
    return fail(ErrorCode::integrity, "{}: an index without \"manifests\"", root.path());
  Index index;
  index.media_type = std::move(media_type);
  TRY_ASSIGN(index.manifests, read_descriptors(root, "manifests"));
  TRY_ASSIGN(index.subject, read_optional_descriptor(root, "subject"));
  TRY_ASSIGN(index.artifact_type, root.string_or("artifactType", ""));
  TRY_ASSIGN(index.annotations, read_annotations(root));
  return Document(std::move(index));
}

Result<Document> read_manifest(const json::Reader& root, std::string media_type) {
  const bool artifact = media_type == kOciArtifactManifest;
  Manifest manifest;
  manifest.media_type = std::move(media_type);
  TRY_ASSIGN(manifest.config, read_optional_descriptor(root, "config"));
  if (!artifact && !manifest.config)
    return fail(ErrorCode::integrity, "{}: a manifest without \"config\"", root.path());
  TRY_ASSIGN(manifest.layers, read_descriptors(root, artifact ? "blobs" : "layers"));
  TRY_ASSIGN(manifest.subject, read_optional_descriptor(root, "subject"));
  TRY_ASSIGN(manifest.artifact_type, root.string_or("artifactType", ""));
  TRY_ASSIGN(manifest.annotations, read_annotations(root));
  return Document(std::move(manifest));
}

}  // namespace

bool is_index_type(std::string_view media_type) {
  return media_type == kOciIndex || media_type == kDockerManifestList;
}

bool is_manifest_type(std::string_view media_type) {
  return media_type == kOciManifest || media_type == kDockerManifest || media_type == kOciArtifactManifest;
}

bool is_foreign_layer(std::string_view media_type) {
  return media_type.starts_with("application/vnd.docker.image.rootfs.foreign.") ||
         media_type.starts_with("application/vnd.oci.image.layer.nondistributable.");
}

bool is_image_config_type(std::string_view media_type) {
  return media_type == kOciConfig || media_type == kDockerConfig;
}

Result<Document> parse_document(std::string_view text, std::string_view media_type, std::string_view what) {
  if (text.size() > kMaxManifestBytes) {
    return fail(ErrorCode::integrity, "{}: {} bytes, more than the {} a manifest may have", what, text.size(),
                kMaxManifestBytes);
  }
  if (media_type.starts_with(kDockerSchema1)) {
    return fail(ErrorCode::unsupported,
                "{} is in Docker's schema 1, which containerd no longer reads: ask for it to be pushed anew",
                what);
  }
  TRY_ASSIGN(const json::Value value, json::parse(text, what));
  TRY_ASSIGN(const json::Reader root, json::Reader::of(value, std::string(what)));
  TRY_ASSIGN(const std::uint64_t version, root.unsigned_integer_or("schemaVersion", 2));
  if (version != 2) {
    return fail(ErrorCode::unsupported,
                "{}: schemaVersion is {}, expected 2 (schema 1 is no longer read by containerd)", what,
                version);
  }
  TRY_ASSIGN(std::string type, decide_media_type(root, media_type));
  if (is_index_type(type)) return read_index(root, std::move(type));
  if (is_manifest_type(type)) return read_manifest(root, std::move(type));
  if (type.empty()) return fail(ErrorCode::integrity, "{} is neither a manifest nor an index", what);
  return fail(ErrorCode::unsupported, "{} has the media type {}, which is no image manifest or index", what,
              type);
}

Result<Platform> parse_config_platform(std::string_view text, std::string_view what) {
  TRY_ASSIGN(const json::Value value, json::parse(text, what));
  TRY_ASSIGN(const json::Reader root, json::Reader::of(value, std::string(what)));
  TRY_ASSIGN(std::string os, root.string("os"));
  TRY_ASSIGN(std::string architecture, root.string("architecture"));
  TRY_ASSIGN(std::string variant, root.string_or("variant", ""));
  return Platform::of(std::move(os), std::move(architecture), std::move(variant));
}

}  // namespace sealift::oci
