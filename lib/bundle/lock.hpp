/// bundle.lock: everything a bundle will hold, each by digest and size, and where to fetch it. Made by
/// `lock`, read by `create`.
///
/// JSON with one fact a line, so that it diffs well; the format is specified in docs/lock-format.md.
/// The same lock gives the same bundle, byte for byte.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::bundle {

/// How a blob is fetched.
enum class OriginKind {
  registry_manifest,  ///< GET /v2/<repository>/manifests/<digest>
  registry_blob,      ///< GET /v2/<repository>/blobs/<digest>
  url,                ///< GET <url>
  inlined,  ///< its bytes are in the lock itself (`content`): small local files such as a manifest beside
            ///< bundle.yaml
};

/// Where a blob's bytes come from, always by upstream name: mirror rules apply when fetching, not here.
struct Origin {
  OriginKind kind = OriginKind::url;
  std::string repository;             ///< registry kinds: "registry.k8s.io/pause"
  std::string url;                    ///< kind url
  std::string content;                ///< kind inlined
  std::vector<std::string> evidence;  ///< what was checked upstream: "sha256 <url>", "openpgp <url>
                                      ///< <fingerprint>", "digest in bundle.yaml", ...
};

/// A blob as it lies in the bundle when that is not as it comes from upstream: one zstd frame
/// (lib/archive/zstd.hpp).
struct StoredForm {
  Digest digest;  ///< sha256
  std::uint64_t size = 0;
  std::string by;  ///< what made it: archive::zstd_encoder(), "zstd 1.5.4 level 3"
};

/// One blob: its content, and one place to get it. `digest` is always sha256.
struct LockedBlob {
  Digest digest;
  std::uint64_t size = 0;
  std::string media_type;  ///< OCI media type, or application/octet-stream
  Origin origin;
  std::optional<StoredForm> stored;  ///< only of kind url, and only when nothing but files refers to it

  /// The digest and size of what lies in the bundle.
  const Digest& bundled_digest() const { return stored ? stored->digest : digest; }
  std::uint64_t bundled_size() const { return stored ? stored->size : size; }
};

/// An image under its full upstream name.
struct LockedImage {
  std::string name;        ///< "registry.k8s.io/pause:3.10" or "name@sha256:..."
  Digest digest;           ///< of the manifest or index the name resolves to
  std::uint64_t size = 0;  ///< of that manifest or index
  std::string media_type;
  std::vector<std::string> platforms;  ///< the platforms whose content is in the bundle
  std::vector<Digest> blobs;           ///< every blob it needs, the root first
};

/// A file served as /files/<path>.
struct LockedFile {
  std::string path;  ///< relative: "bin/linux/amd64/kubeadm", "manifests/flannel.yaml"
  unsigned mode = 0644;
  std::string role;  ///< "kubeadm", "kubelet", "kubectl", a component's name, "manifest", "image-list" or ""
  std::string platform;  ///< "linux/amd64" or "" when it has none
  Digest digest;
};

struct LockedPackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::string filename;  ///< in the output repository: "pool/main/n/nginx/nginx_1.22.1-9_amd64.deb"
  Digest digest;
  std::string
      control;  ///< the upstream Packages stanza without Filename, Size and digests; lines end in '\n'
};

/// One output repository: apt/<target>.
struct LockedPackageSet {
  std::string target;
  std::string baseline;
  std::vector<std::string> architectures;
  std::vector<std::string> install;     ///< what was asked for
  std::vector<LockedPackage> packages;  ///< sorted by name, architecture, version
};

struct Lock {
  std::string name;
  std::string version;
  std::string spec_digest;  ///< sha256 of the bundle.yaml it was made from, or empty
  Timestamp time{};         ///< when it was locked; the only time in a bundle
  std::vector<std::string> platforms;
  std::string kubernetes_version;  ///< "v1.32.3", or empty
  std::vector<std::string>
      kubernetes_images;            ///< what kubeadm of that version lists (after leaving out DNS when asked)
  std::vector<LockedImage> images;  ///< sorted by name
  std::vector<LockedFile> files;    ///< sorted by path
  std::vector<LockedPackageSet> package_sets;
  std::map<Digest, LockedBlob> blobs;  ///< everything above refers to, once
};

Result<Lock> parse_lock(std::string_view text, const std::string& file);
std::string write_lock(const Lock& lock);

}  // namespace sealift::bundle
