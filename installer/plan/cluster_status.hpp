/// The health of an installed cluster, asked from its hosts; changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "installer/inventory/cluster.hpp"
#include "lib/base/clock.hpp"
#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

struct HostStatus {
  std::string name;
  std::string error;           ///< why the host could not be asked; empty: it answered
  bool holds_address = false;  ///< the floating API address is on it
  bool mirror_reachable = false;
  std::optional<bool> clock_synchronised;  ///< by chrony or timesyncd; nothing when neither is there
  std::optional<bool> api_ready;           ///< control planes: its own API server's /readyz
  std::string node;     ///< "Ready", "NotReady", "missing", "unknown"; empty for mere balancers
  std::string version;  ///< of its kubelet
  std::optional<Timestamp> first_expiry;  ///< control planes: of the certificate that ends first
  std::string first_expiry_name;
};

struct ClusterStatus {
  std::string name;
  std::string endpoint;
  bool floating = true;  ///< false with an external balancer
  std::vector<HostStatus> hosts;
  std::map<std::string, bool> etcd;  ///< member -> healthy
  std::vector<std::string> problems;
  bool healthy() const { return problems.empty(); }
};

Result<ClusterStatus> look_at_cluster(const Cluster& cluster, const std::string& agent);

/// What is not as it should be, in words.
std::vector<std::string> find_problems(const Cluster& cluster, const ClusterStatus& status, Timestamp now);

std::string status_text(const ClusterStatus& status);
json::Value to_json(const ClusterStatus& status);

}  // namespace sealift::installer
