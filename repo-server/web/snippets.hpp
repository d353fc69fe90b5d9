/// Ready-made client configuration, filled with the address the client itself used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sealift::repo_server {

/// What snippets need to know.
struct SnippetContext {
  std::string host;     ///< without port; an IPv6 address in brackets
  bool secure = false;  ///< the server speaks HTTPS
  std::uint16_t registry_port = 5000;
  std::uint16_t repository_port = 12480;
  std::vector<std::string> apt_targets;  ///< "debian-12"
  std::string key_path;                  ///< "keys/repository.asc", or empty when the bundle has none
  std::string example_image;             ///< full name of some image, or empty

  /// "https://10.0.0.1:12480"
  std::string repository_url() const;
  std::string registry_url() const;
};

/// The host of a Host header when it is one a URL can carry, else `fallback`.
std::string safe_host(std::string_view host_header, std::string_view fallback);

/// One deb822 stanza (sources.list(5)).
std::string apt_sources(const SnippetContext& context, std::string_view target);
/// For /etc/containerd/certs.d/_default/hosts.toml: one mirror for every upstream registry.
std::string containerd_hosts(const SnippetContext& context);
/// For /etc/containers/registries.conf.d/: podman, CRI-O, skopeo, buildah.
std::string containers_registries(const SnippetContext& context,
                                  const std::vector<std::string>& upstream_hosts);
/// Commands a person copies: what to put where.
std::string instructions(const SnippetContext& context);

}  // namespace sealift::repo_server
