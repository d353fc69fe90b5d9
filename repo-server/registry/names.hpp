/// What a pull request names: repository, tag, digest; and the full upstream name behind what a client calls
/// it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sealift::repo_server {

/// An image's full name taken apart: "registry.k8s.io/pause:3.10", "x.io/a@sha256:…", "x.io/a:1@sha256:…".
struct ImageName {
  std::string repository;  ///< "registry.k8s.io/pause"
  std::string tag;         ///< may be empty
};
ImageName split_image_name(std::string_view name);

/// Lower-case path of a repository, with or without a registry host in front; at most 255 bytes.
bool is_repository_name(std::string_view name);
/// distribution-spec: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
bool is_tag(std::string_view tag);

/// True when the first component is a registry's host: has a '.' or ':' or is "localhost".
bool has_registry_host(std::string_view repository);

/// "nginx" of docker.io is "docker.io/library/nginx"; other names for docker.io become that one.
std::string join_upstream(std::string_view registry_host, std::string_view repository);

/// Normalises a name in path form: "docker.io/nginx" becomes "docker.io/library/nginx".
std::string normalise_full_name(std::string_view repository);

enum class RegistryRequestKind { base, manifest, blob, tags, referrers, catalog, other };

/// A path below /v2 taken apart from its right end, so that repositories may be called "manifests".
struct RegistryRequest {
  RegistryRequestKind kind = RegistryRequestKind::other;
  std::string_view name;
  std::string_view reference;
};

/// `path` is decoded. Views point into it.
RegistryRequest parse_registry_path(std::string_view path);

}  // namespace sealift::repo_server
