#include <algorithm>

#include "installer/phases/phases.hpp"
#include "installer/phases/serving.hpp"
#include "installer/phases/steps.hpp"
#include "installer/preflight/preflight.hpp"
#include "installer/render/pod_network.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kRanges = "jsonpath={range .items[*]}{.metadata.name} {.spec.podCIDR}{\"\\n\"}{end}";

/// "m1 10.244.0.0/24\n…" as ranges of the cluster's nodes; every node must have one.
Result<std::vector<PodRange>> parse_ranges(const Cluster& cluster, const std::string& text) {
  std::vector<PodRange> ranges;
  for (const Host* host : cluster.nodes()) {
    const std::size_t at = ("\n" + text).find("\n" + host->name + " ");
    if (at == std::string::npos)
      return fail(ErrorCode::precondition, "node '{}' has not been given a pod range yet", host->name);
    const std::size_t begin = at + host->name.size() + 1;
    const std::string range = text.substr(begin, text.find('\n', begin) - begin);
    TRY_ASSIGN(const Network pods, Network::parse(range));
    ranges.push_back({host->name, host->address, pods});
  }
  return ranges;
}

Result<std::vector<Step>> bridge_steps(const Cluster& cluster, const Host& host, const std::string& text) {
  TRY_ASSIGN(std::vector<PodRange> ranges, parse_ranges(cluster, text));
  const auto own = std::find_if(ranges.begin(), ranges.end(),
                                [&](const PodRange& range) { return range.node == host.name; });
  const Network pods = own->pods;
  ranges.erase(own);
  TRY_ASSIGN(std::string unit, render_routes_unit(ranges, cluster.network.pods));
  StepList steps("network", host.name);
  const std::string network_id = steps.add("bridge", WriteFile{kBridgeNetwork, render_bridge_network(pods)});
  // A bridge with the gateway of an earlier range would be refused by the plugin; it makes a new one.
  steps.add("old-bridge", Run{.arguments = {"ip", "link", "delete", "cni0"},
                              .success_codes = {0, 1},
                              .restart_on = {network_id}});
  const std::string unit_id =
      steps.add("routes-unit", WriteFile{"/etc/systemd/system/sealift-routes.service", std::move(unit)});
  // A restart of networkd would take routes away that are not its own (networkd.conf(5)).
  steps.add("networkd",
            WriteFile{"/etc/systemd/networkd.conf.d/10-sealift.conf",
                      "# Written by Sealift: the routes to other nodes' pods are not networkd's.\n"
                      "[Network]\nManageForeignRoutes=no\n"});
  steps.add("routes", SystemdUnit{.unit = "sealift-routes.service", .restart_on = {unit_id}});
  for (const PodRange& other : ranges)
    steps.add("route-" + other.node,
              Run{.arguments = {"systemctl", "restart", "sealift-routes.service"},
                  .check = {"ip", other.pods.base().is_v6() ? "-6" : "-4", "route", "show", other.pods.str(),
                            "via", other.address.str(), "proto", "83"},
                  .check_expect = "dev"});
  return steps.take();
}

void add_bridge(const Site& site, const std::vector<std::string>& joined, Plan& plan) {
  const std::string& leader = site.membership.leader;
  StepList look("network", leader);
  for (const Host* host : site.cluster.nodes())
    look.add("range-" + host->name,
             WaitFor{CommandSucceeds{
                 .arguments = kubectl({"get", "node", host->name, "-o", "jsonpath={.spec.podCIDR}"}),
                 .timeout = std::chrono::seconds(20),
                 .expect = "/"}});
  const std::string ranges_id =
      look.add("ranges", Capture{.arguments = kubectl({"get", "nodes", "-o", kRanges})});
  const std::string look_task = "network/" + leader + "/ranges";
  plan.tasks.push_back({.id = look_task,
                        .phase = "network",
                        .host = leader,
                        .lane = "ranges",
                        .after = joined,
                        .steps = look.take()});
  for (const Host* node : site.cluster.nodes())
    plan.tasks.push_back({.id = "network/" + node->name,
                          .phase = "network",
                          .host = node->name,
                          .after = {look_task},
                          .make_steps = [cluster = site.cluster, host = *node,
                                         ranges_id](const Outputs& outputs) -> Result<std::vector<Step>> {
                            TRY_ASSIGN(const std::string text, outputs.get(ranges_id));
                            return bridge_steps(cluster, host, text);
                          },
                          .make_steps_title = "bridge with the node's pod range, routes to the others"});
}

/// The path of a manifest in the mirror's tree is "files/manifests/<name>.yaml".
Result<const bundle::FileEntry*> find_manifest(const Site& site, const std::string& name) {
  for (const bundle::FileEntry& file : site.contents.files)
    if (file.role == "manifest" && file.path.ends_with("/" + name + ".yaml")) return &file;
  return fail(ErrorCode::precondition, "the bundle has no manifest called '{}'", name);
}

/// Adds the steps that apply one manifest, to the leader's.
Status apply_manifest(const Site& site, const std::string& name, StepList& steps) {
  TRY_ASSIGN(const auto* file, find_manifest(site, name));
  const std::string path = manifest_path(name);
  const std::string fetch =
      steps.add("manifest-" + name, FetchFile{.from = download(site, *file), .path = path, .mode = 0600});
  // Asked of the cluster, not of the journal: the cluster may have been made anew since. A custom resource is
  // refused until its definition, or the webhook that checks it, has come up.
  steps.add("apply-" + name, Run{.arguments = kubectl({"apply", "-f", path}),
                                 .check = kubectl({"get", "-f", path, "-o", "name"}),
                                 .retry_for = std::chrono::seconds(180),
                                 .restart_on = {fetch}});
  return {};
}

Status add_network_manifest(const Site& site, Plan& plan) {
  const std::string& leader = site.membership.leader;
  StepList steps("network", leader);
  TRY(apply_manifest(site, site.cluster.network.plugin, steps));
  // Right after init: the nodes that join find their network already there.
  plan.tasks.push_back({.id = "network/" + leader,
                        .phase = "network",
                        .host = leader,
                        .lane = "network",
                        .after = {"init/" + leader},
                        .steps = steps.take()});
  return {};
}

/// The other manifests of cluster.yaml, once there are nodes for what they make.
Status add_manifests(const Site& site, const std::vector<std::string>& joined, Plan& plan) {
  if (site.cluster.manifests.empty()) return {};
  const std::string& leader = site.membership.leader;
  StepList steps("network", leader);
  for (const std::string& name : site.cluster.manifests) TRY(apply_manifest(site, name, steps));
  plan.tasks.push_back({.id = "network/" + leader + "/manifests",
                        .phase = "network",
                        .host = leader,
                        .lane = "manifests",
                        .after = joined,
                        .steps = steps.take()});
  return {};
}

void add_labels(const Site& site, const std::vector<std::string>& joined, Plan& plan) {
  const std::string& leader = site.membership.leader;
  StepList steps("network", leader);
  for (const Host* host : site.cluster.nodes()) {
    if (host->labels.empty()) continue;
    std::vector<std::string> arguments{"label", "--overwrite", "node", host->name};
    std::string selector;
    for (const auto& [key, value] : host->labels) {
      arguments.push_back(key + "=" + value);
      selector += (selector.empty() ? "" : ",") + arguments.back();
    }
    steps.add("labels-" + host->name,
              Run{.arguments = kubectl(std::move(arguments)),
                  .check = kubectl({"get", "nodes", "--field-selector=metadata.name=" + host->name, "-l",
                                    selector, "-o", "name"}),
                  .check_expect = "node/" + host->name});
  }
  auto list = steps.take();
  if (list.empty()) return;
  plan.tasks.push_back({.id = "network/" + leader + "/labels",
                        .phase = "network",
                        .host = leader,
                        .lane = "labels",
                        .after = joined,
                        .steps = std::move(list)});
}

/// The end of the credentials that joins needed, also those of a run that was killed before it came so far.
void add_revocation(const Site& site, const std::vector<std::string>& joined, Plan& plan) {
  const std::string& leader = site.membership.leader;
  const std::string task = "network/" + leader + "/revoke";
  StepList look("network", leader);
  const std::string tokens = look.add(
      "tokens", Capture{.arguments = kubectl({"-n", "kube-system", "get", "secrets",
                                              "--field-selector=type=bootstrap.kubernetes.io/token", "-o",
                                              "jsonpath={range .items[?(@.data.description==\"" +
                                                  to_base64(as_bytes(std::string_view(kTokenDescription))) +
                                                  "\")]}{.metadata.name}{\"\\n\"}{end}"})});
  plan.tasks.push_back({.id = task + "-look",
                        .phase = "network",
                        .host = leader,
                        .lane = "revoke",
                        .after = joined,
                        .steps = look.take()});
  const auto make = [leader, tokens](const Outputs& outputs) -> Result<std::vector<Step>> {
    TRY_ASSIGN(const std::string text, outputs.get(tokens));
    StepList steps("network", leader);
    if (text.empty()) return steps.take();
    std::vector<std::string> arguments{
        "-n", "kube-system", "delete", "secret", "--ignore-not-found", "--wait=false", "kubeadm-certs"};
    for (const std::string& name : lines_of(text)) arguments.push_back(name);
    steps.add("revoke", Run{.arguments = kubectl(std::move(arguments)), .check = kAlways});
    return steps.take();
  };
  plan.tasks.push_back({.id = task,
                        .phase = "network",
                        .host = leader,
                        .lane = "revoke",
                        .after = {task + "-look"},
                        .make_steps = make,
                        .make_steps_title = "delete the token and the certificates of the joins"});
}

}  // namespace

Status add_network(const Site& site, Plan& plan) {
  std::vector<std::string> joined{"init/" + site.membership.leader};
  for (const Task& task : plan.tasks)
    if (task.phase == "join" && task.lane.empty()) joined.push_back(task.id);
  if (site.cluster.network.is_bridge())
    add_bridge(site, joined, plan);
  else
    TRY(add_network_manifest(site, plan));
  TRY(add_manifests(site, joined, plan));
  add_labels(site, joined, plan);
  add_revocation(site, joined, plan);
  // Whoever asks the API in this phase must have its answer by then.
  std::vector<std::string> asked = joined;
  for (const Task& task : plan.tasks)
    if (task.phase == "network" && !task.lane.empty()) asked.push_back(task.id);
  restart_first_server(site, std::move(asked), plan);
  return {};
}

}  // namespace sealift::installer
