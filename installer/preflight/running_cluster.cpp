#include <algorithm>

#include "installer/plan/membership.hpp"
#include "installer/preflight/preflight.hpp"
#include "installer/render/overlay.hpp"

namespace sealift::installer {
namespace {

/// The hosts of the inventory that were asked, as far as they are this cluster's.
class RunningCluster {
 public:
  RunningCluster(const PreflightInput& input, std::vector<Finding>& findings)
      : input_(input), findings_(findings) {
    std::map<std::string, Facts> facts;
    for (const auto& [name, report] : input.hosts) facts[name] = report.facts;
    membership_ = find_membership(input.cluster, facts);
  }

  void check() {
    control_planes_left();
    network_plugin();
    for (const Host& host : input_.cluster.hosts) {
      const auto found = input_.hosts.find(host.name);
      if (found == input_.hosts.end()) continue;
      const Facts& facts = found->second.facts;
      if (membership_.has(host)) made_with(host, facts);
      balancer_moved(host, facts);
    }
  }

 private:
  void add(const std::string& host, std::string subject, std::string message, std::string advice) {
    findings_.push_back({Severity::error, host, std::move(subject), std::move(message), std::move(advice)});
  }
  bool ours(const Facts& facts) const { return facts.journal_cluster_name == input_.cluster.name; }

  void control_planes_left();
  void network_plugin();
  void bridge_left();
  void manifest_left();
  void made_with(const Host& host, const Facts& facts);
  void balancer_moved(const Host& host, const Facts& facts);

  const PreflightInput& input_;
  std::vector<Finding>& findings_;
  Membership membership_;
};

/// Workers of a cluster whose control planes were all made anew would be taken for members of the new one.
void RunningCluster::control_planes_left() {
  if (membership_.initialised) return;
  // One that lacks a file is there all the same, and refused by itself.
  for (const Host* host : input_.cluster.with(Role::control_plane))
    if (membership_.damaged.contains(host->name)) return;
  for (const Host* host : input_.cluster.nodes())
    if (membership_.has(*host) && ours(input_.hosts.at(host->name).facts))
      add(host->name, "member",
          "the host belongs to a cluster that has no control plane left: none of those in cluster.yaml is a "
          "member",
          "run `kubeadm reset -f` on it; or, if there are others, name them in cluster.yaml");
}

void RunningCluster::network_plugin() {
  if (input_.cluster.network.is_bridge())
    manifest_left();
  else
    bridge_left();
}

/// The plugin and a manifest's would both give addresses to pods.
void RunningCluster::bridge_left() {
  for (const Host* host : input_.cluster.nodes()) {
    const auto found = input_.hosts.find(host->name);
    if (found == input_.hosts.end() || !found->second.facts.has(kBridgeNetwork)) continue;
    const std::string& owner = found->second.facts.journal_cluster_name;
    if (!owner.empty() && owner != input_.cluster.name) continue;  // refused as that cluster's
    if (membership_.initialised && membership_.has(*host)) {
      add(host->name, "network-plugin",
          fmt::format("the cluster was made with network.plugin bridge ({}); cluster.yaml says {}",
                      kBridgeNetwork, input_.cluster.network.plugin),
          "put network.plugin back; it cannot be changed in a running cluster");
      return;  // the others have it, too
    }
    add(host->name, "network-plugin",
        fmt::format("the host still has the pod network of an earlier cluster ({})", kBridgeNetwork),
        "`systemctl disable --now sealift-routes` and remove that file there");
  }
}

void RunningCluster::manifest_left() {
  if (!membership_.initialised) return;
  const auto& applied = input_.cluster.manifests;
  for (const Host* host : input_.cluster.nodes())
    if (membership_.has(*host) && input_.hosts.at(host->name).facts.has(kBridgeNetwork)) return;
  for (const Host* host : input_.cluster.with(Role::control_plane)) {
    if (!membership_.has(*host)) continue;
    for (const auto& [name, text] : input_.manifests) {
      if (std::find(applied.begin(), applied.end(), name) != applied.end() ||
          !input_.hosts.at(host->name).facts.has(manifest_path(name)))
        continue;
      add(host->name, "network-plugin",
          fmt::format("the cluster was made with network.plugin {} ({}); cluster.yaml says bridge", name,
                      manifest_path(name)),
          "put network.plugin back; it cannot be changed in a running cluster");
      return;
    }
  }
}

/// What kubeadm wrote into certificates, kubeconfigs and static pods is not changed by a later run: half of a
/// new value would be worse than the old one.
void RunningCluster::made_with(const Host& host, const Facts& facts) {
  const Cluster& cluster = input_.cluster;
  const auto compare = [&](const std::string& key, const std::string& made, const std::string& wanted) {
    if (made.empty() || made == wanted) return;
    add(host.name, "cluster",
        fmt::format("the cluster was made with {} {}; cluster.yaml says {}", key, made, wanted),
        fmt::format("put {} back; it cannot be changed in a running cluster", key));
  };
  compare("endpoint", facts.api_url, "https://" + cluster.endpoint.host_and_port());
  // As kubeadm gets them: what is below kubeadm: wins, and may hold a second range.
  json::Value networking(json::Object{{"podSubnet", cluster.network.pods.str()},
                                      {"serviceSubnet", cluster.network.services.str()}});
  json::Value overlay;
  if (const auto* document = cluster.kubeadm.if_contains("ClusterConfiguration"))
    if (const auto* members = document->if_object())
      if (const auto* section = members->if_contains("networking")) overlay = *section;
  const json::Value merged = overlay.is_object() ? merge(networking, overlay) : networking;
  const auto compare_range = [&](const char* key, const char* name, const std::string& made) {
    const auto* range = merged.get_object().if_contains(name);
    const bool given = overlay.is_object() && overlay.get_object().contains(name);
    compare(given ? fmt::format("kubeadm.ClusterConfiguration.networking.{}", name) : key, made,
            range != nullptr && range->is_string() ? std::string(range->get_string()) : "none");
  };
  compare_range("network.pods", "podSubnet", facts.pod_range);
  compare_range("network.services", "serviceSubnet", facts.service_range);
}

/// keepalived would go on there and fight for the address with whoever has it now.
void RunningCluster::balancer_moved(const Host& host, const Facts& facts) {
  if (!ours(facts) || !facts.has(kBalancerConfig) || input_.cluster.balances(host)) return;
  add(host.name, "balancer", "the host still balances, which is the task of others by cluster.yaml",
      fmt::format("`systemctl disable --now keepalived sealift-lb` and remove {} there first",
                  kBalancerConfig));
}

}  // namespace

std::string manifest_path(const std::string& name) {
  return "/etc/kubernetes/sealift/manifest-" + name + ".yaml";
}

void check_running_cluster(const PreflightInput& input, std::vector<Finding>& findings) {
  RunningCluster(input, findings).check();
}

}  // namespace sealift::installer
