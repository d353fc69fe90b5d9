/// From what a person asked for to digests, sizes and origins: the parts `lock` puts together.
///
/// All functions look up in parallel (ResolveContext::jobs threads), return sorted results and depend only on
/// what the upstreams answer. Errors name the entry of bundle.yaml. Notes that a person should read go to the
/// log as warnings.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "builder/fetch/fetcher.hpp"
#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/progress.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/spec.hpp"

namespace sealift::builder {

struct ResolveContext {
  Fetcher& fetcher;
  Log& log;
  std::vector<std::string> platforms;  ///< the bundle's
  unsigned jobs = 4;
  bool compress_files = true;  ///< whether files by URL that compress well get a stored form
};

using BlobMap = std::map<Digest, bundle::LockedBlob>;

struct ResolvedImages {
  std::vector<bundle::LockedImage> images;  ///< sorted by name, each name once
  BlobMap blobs;
};

struct ResolvedFiles {
  std::vector<bundle::LockedFile> files;  ///< sorted by path
  BlobMap blobs;
};

struct ResolvedKubernetes {
  std::string version;  ///< "v1.32.3"
  ResolvedFiles files;  ///< bin/<platform>/kubeadm, kubelet, kubectl with those roles
  std::vector<std::string>
      images;  ///< full references that kubeadm lists, sorted; the DNS image left out when asked
};

struct ResolvedManifests {
  ResolvedFiles files;                    ///< manifests/<name>.yaml with the role "manifest"
  std::vector<bundle::ImageSpec> images;  ///< found in them, sorted by name
};

/// Every image with the manifests and blobs of its platforms. An index is kept whole under its digest with
/// only the chosen platforms' content; a platform it lacks is not_found and lists what it has. Layers that
/// may not be distributed are left out with a note. cosign tags (sha256-….sig, .att, .sbom) and OCI referrers
/// of the root and of the chosen manifests come along when they exist, the former as images named by their
/// tag. The same image asked for twice is merged.
Result<ResolvedImages> resolve_images(const std::vector<bundle::ImageSpec>& specs,
                                      const ResolveContext& context);

/// Files by URL under their `path`. Digest from bundle.yaml or from the checksum file; without either the
/// file is read once and pinned as it is today, with a warning.
Result<ResolvedFiles> resolve_files(const std::vector<bundle::FileSpec>& specs,
                                    const ResolveContext& context);

/// Upstream releases of the known components for every platform of the bundle, as bin/<platform>/<file name>
/// with the component's name as role.
Result<ResolvedFiles> resolve_components(const std::vector<bundle::ComponentSpec>& specs,
                                         const ResolveContext& context);

/// kubeadm, kubelet and kubectl of dl.k8s.io for every platform, and the image list of that very kubeadm: the
/// one for this machine's architecture is downloaded, verified and run (`config images list`) in an empty
/// environment.
Result<ResolvedKubernetes> resolve_kubernetes(const bundle::KubernetesSpec& spec,
                                              const ResolveContext& context);

/// Manifests by URL or from files beside bundle.yaml (`spec_directory`), at most 8 MiB each, and the images
/// in them.
Result<ResolvedManifests> resolve_manifests(const std::vector<bundle::ManifestSpec>& specs,
                                            const fs::path& spec_directory, const ResolveContext& context);

}  // namespace sealift::builder
