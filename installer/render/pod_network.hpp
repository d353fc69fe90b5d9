/// The network plugin "bridge": containernetworking's bridge, host-local and portmap on each node, and routes
/// between the nodes. For small flat networks.
#pragma once

#include <string>
#include <vector>

#include "installer/inventory/network.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// A node and the part of the pod range that the controller manager gave to it.
struct PodRange {
  std::string node;
  IpAddress address;
  Network pods;
};

/// /etc/cni/net.d/10-sealift-bridge.conflist of the node with that range.
std::string render_bridge_network(const Network& pods);

/// sealift-routes.service: routes to all `others`, and masquerading of what leaves `all_pods`.
Result<std::string> render_routes_unit(const std::vector<PodRange>& others, const Network& all_pods);

}  // namespace sealift::installer
