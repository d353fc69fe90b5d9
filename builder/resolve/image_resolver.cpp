#include "builder/resolve/image_resolver.hpp"

#include <algorithm>
#include <array>

namespace sealift::builder {

namespace {

constexpr int kMaxIndexDepth = 3;
constexpr std::size_t kMaxReferrers = 100;
/// What cosign stores beside an image, by tag (sigstore/cosign, specs/SIGNATURE_SPEC.md).
constexpr std::array<std::string_view, 3> kCosignSuffixes = {"sig", "att", "sbom"};

bool is_about_access(const Error& error) {
  return error.code() == ErrorCode::not_found || error.code() == ErrorCode::authentication ||
         error.code() == ErrorCode::unsupported;
}

}  // namespace

Result<ResolvedImages> ImageResolver::resolve() {
  TRY_ASSIGN(const FetchedManifest root, registry_->manifest(reference_));
  TRY_ASSIGN(bundle::LockedImage image, collect_root(reference_, root, *wanted_));
  result_.images.push_back(std::move(image));
  const std::vector<Digest> subjects = subjects_;
  for (const Digest& subject : subjects) TRY(collect_companions(subject));
  return std::move(result_);
}

Result<bundle::LockedImage> ImageResolver::collect_root(const oci::Reference& reference,
                                                        const FetchedManifest& root,
                                                        const WantedPlatforms& wanted) {
  Collected collected;
  const std::string evidence =
      reference.digest() ? "digest in the name" : "answer of the registry for tag " + reference.tag();
  TRY(add_blob(root.descriptor, bundle::OriginKind::registry_manifest, evidence, collected));
  TRY(collect_document(root, wanted, collected, 0));
  bundle::LockedImage image{
      reference.str(), root.descriptor.digest, root.descriptor.size, root.descriptor.media_type, {}, {}};
  image.platforms.assign(collected.platforms.begin(), collected.platforms.end());
  image.blobs = std::move(collected.blobs);
  return image;
}

Status ImageResolver::collect_document(const FetchedManifest& fetched, const WantedPlatforms& wanted,
                                       Collected& to, int depth) {
  const Digest& digest = fetched.descriptor.digest;
  subjects_.push_back(digest);
  TRY_ASSIGN(const oci::Document document, oci::parse_document(fetched.text, fetched.descriptor.media_type,
                                                               reference_.with_digest(digest).str()));
  if (const auto* index = std::get_if<oci::Index>(&document))
    return collect_index(*index, digest, wanted, to, depth);
  const auto& manifest = std::get<oci::Manifest>(document);
  TRY(collect_manifest(manifest, digest, to));
  if (!manifest.config || !oci::is_image_config_type(manifest.config->media_type) ||
      !manifest.artifact_type.empty())
    return {};
  TRY_ASSIGN(const std::string config, registry_->blob_text(reference_, *manifest.config));
  auto platform = oci::parse_config_platform(config, reference_.with_digest(manifest.config->digest).str());
  // cosign's signatures have a config without a platform, BuildKit's attestations one of "unknown".
  if (!platform || platform->os == "unknown") return {};
  to.platforms.insert(platform->str());
  const bool root = depth == 0 && !wanted.all && !wanted.platforms.empty();
  const auto missing = std::find_if(wanted.platforms.begin(), wanted.platforms.end(),
                                    [&](const auto& one) { return one != *platform; });
  if (root && missing != wanted.platforms.end()) {
    return fail(ErrorCode::not_found,
                "{} has nothing for {}; it has only {}; give this image a `platforms:` list of its own",
                reference_.str(), missing->str(), platform->str());
  }
  return {};
}

Status ImageResolver::collect_index(const oci::Index& index, const Digest& digest,
                                    const WantedPlatforms& wanted, Collected& to, int depth) {
  if (depth == kMaxIndexDepth)
    return fail(ErrorCode::unsupported, "{}: indexes nested more than {} deep", reference_.str(),
                kMaxIndexDepth);
  TRY_ASSIGN(const auto chosen, choose_manifests(index, wanted, reference_.str()));
  for (const oci::Descriptor& descriptor : chosen) {
    if (to.seen.contains(descriptor.digest)) continue;
    TRY(add_blob(descriptor, bundle::OriginKind::registry_manifest, "listed by " + digest.str(), to));
    TRY_ASSIGN(const FetchedManifest fetched, registry_->manifest(reference_.with_digest(descriptor.digest)));
    if (fetched.descriptor.size != descriptor.size) {
      return fail(ErrorCode::integrity, "{}: expected {} bytes as the index says, found {}",
                  reference_.with_digest(descriptor.digest).str(), descriptor.size, fetched.descriptor.size);
    }
    TRY(collect_document(fetched, wanted, to, depth + 1));
  }
  return {};
}

Status ImageResolver::collect_manifest(const oci::Manifest& manifest, const Digest& digest, Collected& to) {
  const std::string evidence = "listed by " + digest.str();
  if (manifest.config) TRY(add_blob(*manifest.config, bundle::OriginKind::registry_blob, evidence, to));
  for (const oci::Descriptor& layer : manifest.layers) {
    if (oci::is_foreign_layer(layer.media_type)) {
      log_->warning("{}: layer {} may not be distributed and is left out ({})", reference_.str(),
                    layer.digest.short_hex(), layer.media_type);
      continue;
    }
    TRY(add_blob(layer, bundle::OriginKind::registry_blob, evidence, to));
  }
  return {};
}

Status ImageResolver::add_blob(const oci::Descriptor& descriptor, bundle::OriginKind kind,
                               std::string evidence, Collected& to) {
  if (descriptor.digest.algorithm() != DigestAlgorithm::sha256) {
    return fail(ErrorCode::unsupported, "{}: {} is not a sha256 digest, the only kind a bundle holds",
                reference_.str(), descriptor.digest.str());
  }
  const auto known = result_.blobs.find(descriptor.digest);
  if (known != result_.blobs.end() && known->second.size != descriptor.size) {
    return fail(ErrorCode::integrity, "{}: {} is listed with {} and with {} bytes", reference_.str(),
                descriptor.digest.str(), known->second.size, descriptor.size);
  }
  bundle::Origin origin;
  origin.kind = kind;
  origin.repository = reference_.name();
  origin.evidence.push_back(std::move(evidence));
  const std::string media_type =
      descriptor.media_type.empty() ? "application/octet-stream" : descriptor.media_type;
  result_.blobs.try_emplace(descriptor.digest, bundle::LockedBlob{descriptor.digest, descriptor.size,
                                                                  media_type, std::move(origin)});
  if (to.seen.insert(descriptor.digest).second) to.blobs.push_back(descriptor.digest);
  return {};
}

Status ImageResolver::collect_companions(const Digest& subject) {
  for (const std::string_view suffix : kCosignSuffixes) {
    TRY_ASSIGN(const oci::Reference tag,
               reference_.with_tag(fmt::format("sha256-{}.{}", subject.hex(), suffix)));
    TRY(add_companion(tag));
  }
  auto referrers = registry_->referrers(reference_.with_digest(subject));
  if (!referrers) {
    // A registry that does not let one list them has none for us; one that could not answer may have.
    if (!is_about_access(referrers.error())) return tl::unexpected(std::move(referrers).error());
    if (referrers.error().code() != ErrorCode::authentication) {
      log_->warning("{}: what refers to it could not be listed: {}", reference_.str(),
                    referrers.error().message());
    }
    return {};
  }
  if (referrers->size() > kMaxReferrers) {
    log_->warning("{}: {} referrers, only the first {} are bundled", reference_.str(), referrers->size(),
                  kMaxReferrers);
    referrers->resize(kMaxReferrers, referrers->front());
  }
  for (const oci::Descriptor& referrer : *referrers)
    TRY(add_companion(reference_.with_digest(referrer.digest)));
  return {};
}

Status ImageResolver::add_companion(const oci::Reference& reference) {
  const auto exists = registry_->exists(reference);
  if (!exists) {
    if (is_about_access(exists.error())) return {};
    return tl::unexpected(exists.error());
  }
  if (!*exists) return {};
  TRY_ASSIGN(const FetchedManifest fetched, registry_->manifest(reference));
  const BlobMap before = result_.blobs;
  const WantedPlatforms all{true, {}};
  auto companion = collect_root(reference, fetched, all);
  if (!companion && is_about_access(companion.error())) {
    // What belongs to an image must not keep the image itself out of the bundle.
    log_->warning("{} is left out: {}", reference.str(), companion.error().message());
    result_.blobs = before;
    return {};
  }
  if (!companion) return tl::unexpected(std::move(companion).error());
  companion->platforms.clear();
  result_.images.push_back(std::move(*companion));
  return {};
}

}  // namespace sealift::builder
