/// What a person asks for: bundle.yaml, `apiVersion: sealift/v1`, `kind: Bundle`. The schema is in
/// manifests/README.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::bundle {

/// Upstream components whose release URLs Sealift knows: containerd, runc, cni-plugins, crictl, etcdctl,
/// helm.
struct ComponentSpec {
  std::string name;
  std::string version;  ///< without "v"
};

struct KubernetesSpec {
  std::string version;  ///< without "v": "1.32.3"
  bool dns = true;      ///< whether the DNS add-on's image is bundled
};

struct ImageSpec {
  std::string name;                    ///< full or short reference; the bundle holds the full one
  std::vector<std::string> platforms;  ///< empty: the bundle's; {"all"}: the whole index
};

struct FileSpec {
  std::string url;
  std::optional<Digest> digest;  ///< `sha256:` of the entry
  std::string checksums;         ///< URL of a checksum file, or empty
  std::string path;              ///< below files/ in the repository; empty: the URL's last component
  unsigned mode = 0644;
};

/// A Kubernetes manifest the installer can apply; the images in it are found and bundled.
struct ManifestSpec {
  std::string name;
  std::string url;   ///< exactly one of url and file is set
  std::string file;  ///< path beside bundle.yaml
  std::optional<Digest> digest;
};

struct RepositorySpec {
  std::string url;
  std::vector<std::string> suites;      ///< all or none end in '/': flat repositories
  std::vector<std::string> components;  ///< empty exactly when the suites are flat
  std::string keyring;                  ///< local path of the OpenPGP public keys that may sign it
};

/// One set of operating system packages with all they need beyond the baseline.
struct PackageSetSpec {
  std::string target;    ///< "debian-12": names the output repository apt/debian-12
  std::string baseline;  ///< a named baseline or a path to a dpkg status file; "none": an empty machine
  std::vector<std::string> architectures;  ///< Debian names; empty: those of the bundle's platforms
  std::vector<RepositorySpec> repositories;
  std::vector<std::string> install;
  bool recommends = false;  ///< whether Recommends count as needed
};

/// Rewrites where things are really fetched; names in the bundle stay the upstream ones. The longest match
/// wins.
struct MirrorRule {
  std::string from;  ///< registry host, or "scheme://host/path/" prefix
  std::string to;
};

struct Spec {
  std::string name;
  std::string version;
  std::vector<std::string> platforms;  ///< "linux/amd64"
  std::optional<KubernetesSpec> kubernetes;
  std::vector<ComponentSpec> components;
  std::vector<ManifestSpec> manifests;
  std::vector<ImageSpec> images;
  std::vector<FileSpec> files;
  std::vector<PackageSetSpec> package_sets;
  std::vector<MirrorRule> mirrors;
  bool compress_files = true;  ///< whether files that compress well are stored as zstd blobs
};

/// Reads bundle.yaml; errors carry file, line, column and the nearest known key.
Result<Spec> parse_spec(std::string_view text, const std::string& file);

/// Reads a file that holds only `mirrors:` in the same form (`--mirrors`).
Result<std::vector<MirrorRule>> parse_mirrors(std::string_view text, const std::string& file);

}  // namespace sealift::bundle
