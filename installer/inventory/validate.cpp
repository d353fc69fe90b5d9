#include "installer/inventory/validate.hpp"

#include <algorithm>
#include <map>

namespace sealift::installer {
namespace {

constexpr unsigned kMostSpareBits = 16;

Status distinct_hosts(const Cluster& cluster) {
  std::map<std::string, const Host*> names;
  std::map<IpAddress, const Host*> addresses;
  for (const Host& host : cluster.hosts) {
    if (const auto [it, fresh] = names.emplace(host.name, &host); !fresh)
      return fail(ErrorCode::invalid_argument,
                  "{}: two hosts are called '{}' (the other is at {}): names must differ", host.place,
                  host.name, it->second->place);
    if (const auto [it, fresh] = addresses.emplace(host.address, &host); !fresh)
      return fail(ErrorCode::invalid_argument, "{}: hosts '{}' and '{}' have the same address {}", host.place,
                  it->second->name, host.name, host.address.str());
    if (host.address.is_v6() != cluster.hosts.front().address.is_v6())
      return fail(ErrorCode::invalid_argument,
                  "{}: host '{}' has an address of another family than '{}': all must be IPv4 or all IPv6",
                  host.place, host.name, cluster.hosts.front().name);
  }
  return {};
}

Status roles_make_sense(Cluster& cluster, const ClusterPlaces& places) {
  const auto control_planes = cluster.with(Role::control_plane);
  if (control_planes.empty())
    return fail(ErrorCode::invalid_argument, "{}: no host has the role control-plane: at least one is needed",
                places.hosts);
  if (control_planes.size() % 2 == 0)
    cluster.warnings.push_back(
        fmt::format("{} control planes: etcd survives the loss of {} of them, no more than with {}; an odd "
                    "number is better",
                    control_planes.size(), (control_planes.size() - 1) / 2, control_planes.size() - 1));
  if (control_planes.size() == 1)
    cluster.warnings.emplace_back(
        "one control plane: the cluster is not highly available; three survive the loss of one");
  if (const auto balancers = cluster.with(Role::load_balancer); balancers.size() == 1)
    cluster.warnings.push_back(fmt::format(
        "one load balancer ({}): when it is down, so is the API address; use two", balancers.front()->name));
  return {};
}

Status endpoint_fits(const Cluster& cluster, const ClusterPlaces& places) {
  const Endpoint& endpoint = cluster.endpoint;
  if (endpoint.mode == EndpointMode::external) return {};
  for (const Host& host : cluster.hosts) {
    if (host.address == endpoint.address)
      return fail(ErrorCode::invalid_argument,
                  "{}: the endpoint's address {} is the address of host '{}': it must be a free one, because "
                  "it moves "
                  "between the hosts",
                  places.endpoint, endpoint.address.str(), host.name);
    if (!endpoint.name.empty() && host.name == endpoint.name)
      return fail(ErrorCode::invalid_argument, "{}: the endpoint's name '{}' is the name of a host",
                  places.endpoint, endpoint.name);
  }
  if (endpoint.address.is_v6() != cluster.hosts.front().address.is_v6())
    return fail(ErrorCode::invalid_argument,
                "{}: the endpoint's address and the hosts' are of different families", places.endpoint);
  // Ports that something else of the cluster listens on, on every host that would run the balancer.
  static const std::map<std::uint16_t, std::string_view> kTaken = {{22, "sshd"},
                                                                   {2379, "etcd"},
                                                                   {2380, "etcd"},
                                                                   {2381, "etcd"},
                                                                   {10248, "kubelet"},
                                                                   {10249, "kube-proxy"},
                                                                   {10250, "kubelet"},
                                                                   {10256, "kube-proxy"},
                                                                   {10257, "kube-controller-manager"},
                                                                   {10259, "kube-scheduler"}};
  const auto balancers = cluster.balancers();
  const bool on_control_plane = std::any_of(balancers.begin(), balancers.end(),
                                            [](const Host* host) { return host->has(Role::control_plane); });
  if (on_control_plane && endpoint.port == 6443)
    return fail(ErrorCode::invalid_argument,
                "{}: port 6443 belongs to the API server on the same hosts: choose another one, such as "
                "16443, or give "
                "two hosts the role load-balancer",
                places.port);
  if (const auto taken = kTaken.find(endpoint.port); taken != kTaken.end())
    return fail(ErrorCode::invalid_argument, "{}: port {} belongs to {}: choose another one, such as 16443",
                places.port, endpoint.port, taken->second);
  if (endpoint.port >= 30000 && endpoint.port <= 32767)
    return fail(ErrorCode::invalid_argument,
                "{}: port {} lies in the range of NodePort services (30000-32767)", places.port,
                endpoint.port);
  return {};
}

Status networks_are_apart(const Cluster& cluster, const ClusterPlaces& places) {
  const ClusterNetwork& network = cluster.network;
  if (network.pods.overlaps(network.services))
    return fail(ErrorCode::invalid_argument, "{}: network.services {} overlaps network.pods {}",
                places.services, network.services.str(), network.pods.str());
  struct Named {
    std::string_view key;
    const Network& network;
    const std::string& place;
  };
  for (const Named& range :
       {Named{"pods", network.pods, places.pods}, Named{"services", network.services, places.services}}) {
    for (const Host& host : cluster.hosts)
      if (range.network.contains(host.address))
        return fail(ErrorCode::invalid_argument, "{}: network.{} {} contains the address {} of host '{}'",
                    range.place, range.key, range.network.str(), host.address.str(), host.name);
    if (range.network.contains(cluster.endpoint.address))
      return fail(ErrorCode::invalid_argument, "{}: network.{} {} contains the endpoint's address {}",
                  range.place, range.key, range.network.str(), cluster.endpoint.address.str());
  }
  const bool v6 = network.pods.base().is_v6();
  const unsigned node_mask = v6 ? 64 : 24;
  if (network.pods.prefix() > node_mask)
    return fail(ErrorCode::invalid_argument, "{}: network.pods {} is too small: each node gets a /{} of it",
                places.pods, network.pods.str(), node_mask);
  const unsigned spare_bits = node_mask - network.pods.prefix();
  // kubeadm's PodSubnetNodeMaskMaxDiff: the controller manager keeps a bitmap of all nodes' ranges.
  if (spare_bits > kMostSpareBits)
    return fail(ErrorCode::invalid_argument,
                "{}: network.pods {} is too large for kubeadm: a /{} is the largest it takes", places.pods,
                network.pods.str(), node_mask - kMostSpareBits);
  if ((std::size_t{1} << spare_bits) < cluster.nodes().size())
    return fail(ErrorCode::invalid_argument,
                "{}: network.pods {} has room for {} nodes of a /{} each; there are {}", places.pods,
                network.pods.str(), 1U << spare_bits, node_mask, cluster.nodes().size());
  if (network.services.prefix() > (v6 ? 124U : 28U) || network.services.prefix() < (v6 ? 108U : 12U))
    return fail(ErrorCode::invalid_argument, "{}: network.services {} must be a /{} to /{}", places.services,
                network.services.str(), v6 ? 108 : 12, v6 ? 124 : 28);
  if (v6 != network.services.base().is_v6() || v6 != cluster.hosts.front().address.is_v6())
    return fail(ErrorCode::invalid_argument,
                "{}: hosts, network.pods and network.services must be of one address family", places.pods);
  return {};
}

}  // namespace

Status validate(Cluster& cluster, const ClusterPlaces& places) {
  TRY(distinct_hosts(cluster));
  TRY(roles_make_sense(cluster, places));
  TRY(endpoint_fits(cluster, places));
  return networks_are_apart(cluster, places);
}

}  // namespace sealift::installer
