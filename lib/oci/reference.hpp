/// Names of images: the reference grammar of docker and containerd (distribution/reference, OCI
/// distribution-spec).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::oci {

/// A full image name: registry, repository, and a tag or a digest or both. Only parse() makes one, so it is
/// always valid.
class Reference {
 public:
  /// Accepts full and short names and completes them as docker does: `nginx` is
  /// docker.io/library/nginx:latest, `localhost:5000/a/b` keeps its registry. Errors are invalid_argument and
  /// quote at most 200 bytes of `text`.
  static Result<Reference> parse(std::string_view text);

  /// "docker.io", "registry.k8s.io", "localhost:5000", "[::1]:5000". Always the upstream name.
  const std::string& registry() const { return registry_; }
  /// "library/nginx"; lower case.
  const std::string& repository() const { return repository_; }
  /// Empty when the name has only a digest.
  const std::string& tag() const { return tag_; }
  const std::optional<Digest>& digest() const { return digest_; }

  /// "docker.io/library/nginx"
  std::string name() const { return registry_ + "/" + repository_; }
  /// The one canonical spelling: "docker.io/library/nginx:latest", "...@sha256:...", or "...:tag@sha256:...".
  std::string str() const;
  /// What to ask the registry for: the digest when there is one, else the tag.
  std::string selector() const { return digest_ ? digest_->str() : tag_; }
  /// The same repository under another tag, without digest. `tag` must be valid (letters, digits, '_', '.',
  /// '-'; at most 128).
  Result<Reference> with_tag(std::string_view tag) const;
  /// The same repository by digest, without tag.
  Reference with_digest(const Digest& digest) const;

  friend bool operator==(const Reference&, const Reference&) = default;

 private:
  Reference() = default;
  std::string registry_;
  std::string repository_;
  std::string tag_;
  std::optional<Digest> digest_;
};

/// True when a registry would accept the name: lower-case components joined by '/', at most 255 bytes.
bool is_repository_name(std::string_view text);
/// True for a tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
bool is_tag(std::string_view text);
/// True for `host`, `host:port`, `[ipv6]:port`.
bool is_registry_host(std::string_view text);

}  // namespace sealift::oci
