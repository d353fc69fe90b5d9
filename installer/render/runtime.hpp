/// Texts of the container runtime and the kubelet's service.
#pragma once

#include <string>
#include <vector>

#include "installer/render/versions.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// containerd's config.toml in the version that this containerd reads. `sandbox_image` is the pause image
/// that kubeadm of the installed version lists.
Result<std::string> render_containerd(const ReleaseVersion& containerd, const std::string& sandbox_image);
/// The unit for a containerd that came as a tarball.
Result<std::string> render_containerd_unit();

/// certs.d/_default/hosts.toml: every registry name is answered by the mirrors, never by the real host.
/// `urls`: "https://10.0.0.10:5000", tried in turn; `ca_file`: PEM file on the host, empty for http.
Result<std::string> render_registry_hosts(const std::vector<std::string>& urls, const std::string& ca_file);

Result<std::string> render_crictl();
Result<std::string> render_kubelet_unit(const std::string& kubelet_program);
/// kubeadm's drop-in for the unit. To 1.26 it also keeps the kubelet from asking the cloud's metadata address
/// for registry credentials, which takes six seconds of every start where a router drops what it cannot
/// deliver.
Result<std::string> render_kubelet_dropin(const std::string& kubelet_program,
                                          const ReleaseVersion& kubernetes);

}  // namespace sealift::installer
