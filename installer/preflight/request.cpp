#include "installer/plan/membership.hpp"
#include "installer/preflight/preflight.hpp"
#include "installer/render/system.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

constexpr std::uint32_t kVrrpListenMs = 5000;  // some speakers are heard every three seconds only

/// Ports of other hosts that this one must get through to. Nobody listens yet: "refused" is the good answer.
std::vector<AddressPort> ports_to_reach(const Cluster& cluster, const Host& host, const std::string& mirror) {
  std::vector<AddressPort> targets{{mirror, 5000}, {mirror, 12480}};
  for (const Host& other : cluster.hosts) {
    if (other.name == host.name) continue;
    const auto add = [&](std::uint16_t port) { targets.push_back({other.address.str(), port}); };
    if (other.has(Role::control_plane)) add(6443);
    if (other.has(Role::control_plane) && host.has(Role::control_plane)) {
      add(2379);
      add(2380);
    }
    if (other.is_node() && host.has(Role::control_plane)) add(10250);
    if (cluster.balances(other)) add(cluster.endpoint.port);
  }
  return targets;
}

}  // namespace

FactsRequest facts_request(const Cluster& cluster, const bundle::Contents& contents, const Host* host,
                           const std::string& mirror_address) {
  FactsRequest request;
  request.packages = {"nginx",
                      "nginx-light",
                      "nginx-core",
                      "libnginx-mod-stream",
                      "keepalived",
                      "chrony",
                      "runc",
                      "containerd.io",
                      "containernetworking-plugins",
                      "docker.io",
                      "docker-ce",
                      "systemd-timesyncd",
                      "ntp",
                      "ntpsec",
                      "openntpd"};
  for (const auto& set : contents.package_sets)
    request.packages.insert(request.packages.end(), set.install.begin(), set.install.end());
  request.paths = {kMemberMark,
                   kKubeletConfig,
                   kAdminConfig,
                   kStaleWatchers,
                   "/etc/sealift/foreign-nginx",
                   kCloudInitHosts,
                   "/etc/sealift/packages-begun",
                   "/etc/keepalived/keepalived.conf",
                   "/etc/containerd/config.toml",
                   kBalancerConfig,
                   kBridgeNetwork};
  for (const auto& file : contents.files)
    if (file.role == "manifest") request.paths.push_back(manifest_path(fs::path(file.path).stem().string()));
  if (host == nullptr) return request;
  request.steps = kubeadm_steps(*host);
  if (host->is_node()) request.modules = node_modules(cluster);
  request.reach = ports_to_reach(cluster, *host, mirror_address);
  if (cluster.balances(*host)) {
    request.claims = {cluster.endpoint.address.str()};
    request.vrrp_listen_ms = kVrrpListenMs;
  }
  return request;
}

}  // namespace sealift::installer
