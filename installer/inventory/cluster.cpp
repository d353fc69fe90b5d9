#include "installer/inventory/cluster.hpp"

#include <algorithm>

namespace sealift::installer {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::control_plane:
      return "control-plane";
    case Role::worker:
      return "worker";
    case Role::load_balancer:
      return "load-balancer";
  }
  return "";
}

std::string_view to_string(EndpointMode mode) {
  switch (mode) {
    case EndpointMode::keepalived_nginx:
      return "keepalived-nginx";
    case EndpointMode::keepalived_haproxy:
      return "keepalived-haproxy";
    case EndpointMode::keepalived:
      return "keepalived";
    case EndpointMode::kube_vip:
      return "kube-vip";
    case EndpointMode::local_nginx:
      return "local-nginx";
    case EndpointMode::local_haproxy:
      return "local-haproxy";
    case EndpointMode::external:
      return "external";
  }
  return "";
}

std::string Endpoint::host_and_port() const {
  return fmt::format("{}:{}", name.empty() ? address.bracketed() : name, port);
}

bool Host::has(Role role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }

const Host* Cluster::find(std::string_view host_name) const {
  const auto found =
      std::find_if(hosts.begin(), hosts.end(), [&](const Host& host) { return host.name == host_name; });
  return found == hosts.end() ? nullptr : &*found;
}

std::vector<const Host*> Cluster::with(Role role) const {
  std::vector<const Host*> result;
  for (const Host& host : hosts)
    if (host.has(role)) result.push_back(&host);
  return result;
}

std::vector<const Host*> Cluster::nodes() const {
  std::vector<const Host*> result;
  for (const Host& host : hosts)
    if (host.is_node()) result.push_back(&host);
  return result;
}

std::vector<const Host*> Cluster::balancers() const {
  if (endpoint.mode == EndpointMode::external) return {};
  return dedicated_balancers() ? with(Role::load_balancer) : with(Role::control_plane);
}

bool Cluster::balances(const Host& host) const {
  const auto all = balancers();
  return std::any_of(all.begin(), all.end(), [&](const Host* other) { return other->name == host.name; });
}

}  // namespace sealift::installer
