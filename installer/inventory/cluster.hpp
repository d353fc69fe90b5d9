/// What a site operator asks for: cluster.yaml, `apiVersion: sealift/v1`, `kind: Cluster`. The schema is in
/// manifests/README.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/inventory/network.hpp"
#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

enum class Role { control_plane, worker, load_balancer };
std::string_view to_string(Role role);

enum class EndpointMode {
  keepalived_nginx,
  keepalived_haproxy,
  keepalived,
  kube_vip,
  local_nginx,
  local_haproxy,
  external,
};
std::string_view to_string(EndpointMode mode);

/// Where clients and nodes reach the API.
struct Endpoint {
  EndpointMode mode = EndpointMode::keepalived_nginx;
  IpAddress address;
  std::uint16_t port = 16443;
  std::string name;  ///< DNS name in certificates, kubeconfigs and /etc/hosts; empty: the address is used
  std::string interface;  ///< of the floating address; empty: the one whose subnet holds it
  std::optional<unsigned> virtual_router_id;  ///< 1 to 255; none: derived from the address
  /// "192.168.2.100:16443" or "api.prod.example:16443": kubeadm's controlPlaneEndpoint.
  std::string host_and_port() const;
};

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  ///< NoSchedule, PreferNoSchedule or NoExecute
};

/// How to log in; what is empty comes from the user's own ssh_config.
struct SshSettings {
  std::string user;
  std::uint16_t port = 0;
  std::string identity;
  std::string known_hosts;
  std::string config;
  friend auto operator<=>(const SshSettings&, const SshSettings&) = default;
};

struct Host {
  std::string name;  ///< RFC 1123 label; also the node's name
  IpAddress address;
  std::vector<Role> roles;
  std::map<std::string, std::string> labels;
  std::optional<std::vector<Taint>> taints;  ///< none: kubeadm's default for the role
  SshSettings ssh;                           ///< the cluster's, with what this host overrides
  std::string place;                         ///< "cluster.yaml:12:5", for errors

  bool has(Role role) const;
  /// Does a kubelet run here?
  bool is_node() const { return has(Role::control_plane) || has(Role::worker); }
};

struct ClusterNetwork {
  std::string plugin = "bridge";  ///< "bridge", or the name of a manifest in the bundle
  Network pods;
  Network services;
  std::string dns_domain = "cluster.local";
  bool is_bridge() const { return plugin == "bridge"; }
};

struct Cluster {
  std::string name;
  Endpoint endpoint;
  std::vector<Host> hosts;
  ClusterNetwork network;
  std::vector<std::string> manifests;         ///< of the bundle, beyond the network's: applied in this order
  bool dns = true;                            ///< install the DNS add-on
  bool firewall = true;                       ///< open what is needed in a firewall that is active on a host
  std::vector<std::string> time_servers;      ///< empty: two control planes serve the others
  std::optional<IpAddress> mirror_address;    ///< none: this host's address that routes to the hosts
  std::vector<std::string> certificate_sans;  ///< more names and addresses for the API certificate
  std::map<std::string, bool> feature_gates;
  json::Object kubeadm;               ///< document kind -> members to merge in; arguments as lists
  std::vector<std::string> warnings;  ///< what is allowed but probably not meant

  const Host* find(std::string_view name) const;
  std::vector<const Host*> with(Role role) const;
  std::vector<const Host*> nodes() const;
  /// Hosts that hold the floating address: those with the role load-balancer, else the control planes.
  std::vector<const Host*> balancers() const;
  bool balances(const Host& host) const;
  bool dedicated_balancers() const { return !with(Role::load_balancer).empty(); }
};

/// Reads and checks cluster.yaml. Errors carry file, line and column, and the nearest known key or value.
/// Valid modes that this version cannot install fail with ErrorCode::unsupported.
Result<Cluster> parse_cluster(std::string_view text, const std::string& file);

}  // namespace sealift::installer
