/// One image: everything that belongs to it at its registry.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "builder/fetch/registry_client.hpp"
#include "builder/resolve/resolve.hpp"
#include "lib/oci/manifest.hpp"
#include "lib/oci/reference.hpp"

namespace sealift::builder {

/// Which platforms of an image are wanted; sorted as given.
struct WantedPlatforms {
  bool all = false;
  std::vector<oci::Platform> platforms;

  /// "all" or platforms; errors are invalid_argument.
  static Result<WantedPlatforms> parse(const std::vector<std::string>& texts);
};

/// The descriptors of an index that the wanted platforms need: exact matches (for arm without a v7 also v6,
/// then v5), and the attestations about them. A platform the index lacks is not_found and lists what there
/// is. Entries without a platform are chosen only with "all" or when the index names no platform at all.
Result<std::vector<oci::Descriptor>> choose_manifests(const oci::Index& index, const WantedPlatforms& wanted,
                                                      const std::string& name);

/// Collects one image. Use it once.
class ImageResolver {
 public:
  ImageResolver(oci::Reference reference, const WantedPlatforms& wanted, RegistryClient& registry, Log& log)
      : reference_(std::move(reference)), wanted_(&wanted), registry_(&registry), log_(&log) {}

  /// The image and, after it, what carries signatures and attestations for it.
  Result<ResolvedImages> resolve();

 private:
  struct Collected {
    std::vector<Digest> blobs;  ///< in order, each once
    std::set<Digest> seen;
    std::set<std::string> platforms;
  };

  Result<bundle::LockedImage> collect_root(const oci::Reference& reference, const FetchedManifest& root,
                                           const WantedPlatforms& wanted);
  Status collect_document(const FetchedManifest& fetched, const WantedPlatforms& wanted, Collected& to,
                          int depth);
  Status collect_index(const oci::Index& index, const Digest& digest, const WantedPlatforms& wanted,
                       Collected& to, int depth);
  Status collect_manifest(const oci::Manifest& manifest, const Digest& digest, Collected& to);
  Status add_blob(const oci::Descriptor& descriptor, bundle::OriginKind kind, std::string evidence,
                  Collected& to);
  Status collect_companions(const Digest& subject);
  Status add_companion(const oci::Reference& reference);

  oci::Reference reference_;
  const WantedPlatforms* wanted_;
  RegistryClient* registry_;
  Log* log_;
  ResolvedImages result_;
  std::vector<Digest> subjects_;  ///< the root and every chosen manifest
};

}  // namespace sealift::builder
