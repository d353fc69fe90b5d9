#include "installer/plan/cluster_status.hpp"

#include <algorithm>
#include <future>

#include "installer/apply/plan.hpp"
#include "installer/phases/steps.hpp"
#include "installer/plan/open_site.hpp"
#include "installer/preflight/addresses.hpp"
#include "lib/crypto/certificate.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kCertificates[] = {"apiserver.crt",
                                         "apiserver-kubelet-client.crt",
                                         "apiserver-etcd-client.crt",
                                         "front-proxy-client.crt",
                                         "etcd/server.crt",
                                         "etcd/peer.crt",
                                         "etcd/healthcheck-client.crt"};

/// A host that can be asked: it answers only those who name the cluster it belongs to.
struct Link {
  Session& session;
  Owner owner;
};

/// Gives the output of one step, or nothing when it fails.
std::optional<std::string> ask(const Link& link, const Action& action) {
  std::optional<std::string> answer;
  const Step step{"status", action, ""};
  const Status done = link.session.run(link.owner, {step}, StepMode::check, [&](const StepEvent& event) {
    if (event.kind == StepEvent::Kind::finished && event.has_output) answer = event.output;
  });
  return done ? answer : std::nullopt;
}

void read_certificates(const Link& link, HostStatus& status) {
  for (const char* name : kCertificates) {
    const auto pem = ask(link, ReadFile{std::string("/etc/kubernetes/pki/") + name});
    if (!pem) continue;
    const auto info = read_certificate(*pem, name);
    if (!info || (status.first_expiry && *status.first_expiry <= info->not_after)) continue;
    status.first_expiry = info->not_after;
    status.first_expiry_name = name;
  }
}

/// What every control plane can say of the whole cluster.
struct ClusterView {
  bool answered = false;
  std::map<std::string, std::pair<std::string, std::string>> nodes;  ///< name -> state, version
};

Status read_nodes(const std::string& text, ClusterView& view) {
  TRY_ASSIGN(const json::Value value, json::parse(text, "kubectl get nodes"));
  TRY_ASSIGN(const auto list, json::Reader::of(value, "kubectl get nodes"));
  return list.each("items", [&](const json::Reader& node) -> Status {
    TRY_ASSIGN(const auto metadata, node.object("metadata"));
    TRY_ASSIGN(const std::string name, metadata.string("name"));
    TRY_ASSIGN(const auto status, node.object("status"));
    TRY_ASSIGN(const auto info, status.object("nodeInfo"));
    auto& [state, version] = view.nodes[name];
    state = "unknown";
    TRY_ASSIGN(version, info.string_or("kubeletVersion", ""));
    return status.each("conditions", [&](const json::Reader& condition) -> Status {
      TRY_ASSIGN(const std::string type, condition.string("type"));
      TRY_ASSIGN(const std::string truth, condition.string("status"));
      if (type == "Ready") state = truth == "True" ? "Ready" : "NotReady";
      return {};
    });
  });
}

/// chrony's own word for the state of its clock, else systemd's.
std::optional<bool> ask_clock(const Link& link) {
  if (const auto tracking = ask(link, Capture{.arguments = {"chronyc", "-n", "-c", "tracking"}}))
    return tracking->find("Not synchronised") == std::string::npos;
  if (const auto clock =
          ask(link, Capture{.arguments = {"timedatectl", "show", "--property=NTPSynchronized"}}))
    return *clock == "NTPSynchronized=yes";
  return std::nullopt;
}

struct Answer {
  HostStatus status;
  ClusterView view;
  bool etcd_healthy = false;  ///< the host's own member, which answers only when it sees a leader
};

Answer ask_host(const Cluster& cluster, const Host& host, const std::string& mirror, const std::string& agent,
                ConnectionGate& connecting) {
  Answer answer;
  answer.status.name = host.name;
  Cluster alone = cluster;
  alone.hosts = {host};
  const auto own = own_addresses();
  const bool here = std::find(own.begin(), own.end(), host.address) != own.end();
  connecting.acquire();
  auto sessions = connect_hosts(alone, here ? host.name : "", agent);
  connecting.release();
  if (!sessions) {
    answer.status.error = sessions.error().message();
    return answer;
  }
  Link link{*sessions->at(host.name), {}};
  FactsRequest request;
  request.reach = {{mirror, 5000}};
  if (const auto facts = link.session.facts(request); facts) {
    link.owner = {facts->journal_cluster_name, facts->journal_cluster_id};
    answer.status.holds_address = find_address(*facts, cluster.endpoint.address).has_value();
    answer.status.mirror_reachable = !facts->reach.empty() && facts->reach.front().reachable;
  }
  answer.status.clock_synchronised = ask_clock(link);
  if (!host.has(Role::control_plane)) return answer;
  const std::string server = "--server=https://" + host.address.bracketed() + ":6443";
  const auto ready = ask(link, Capture{.arguments = kubectl({"get", "--raw", "/readyz", server})});
  answer.status.api_ready = ready && *ready == "ok";
  read_certificates(link, answer.status);
  // A node that is not Ready may also be one whose API server alone is gone: each asks its own.
  if (const auto nodes = ask(link, Capture{.arguments = kubectl({"get", "nodes", "-o", "json", server})});
      nodes)
    answer.view.answered = read_nodes(*nodes, answer.view).has_value();
  answer.etcd_healthy = ask(link, Capture{.arguments = etcdctl(host, {"endpoint", "health"})}).has_value();
  return answer;
}

}  // namespace

Result<ClusterStatus> look_at_cluster(const Cluster& cluster, const std::string& agent) {
  ClusterStatus status;
  status.name = cluster.name;
  status.endpoint = "https://" + cluster.endpoint.host_and_port();
  status.floating = cluster.endpoint.mode != EndpointMode::external;
  std::string mirror;
  if (cluster.mirror_address) {
    mirror = cluster.mirror_address->str();
  } else {
    TRY_ASSIGN(const IpAddress own, local_address_towards(cluster.hosts.front().address));
    mirror = own.str();
  }
  ConnectionGate connecting(kConnectingAtOnce);
  std::vector<std::future<Answer>> asked;
  for (const Host& host : cluster.hosts)
    asked.push_back(
        std::async(std::launch::async, [&] { return ask_host(cluster, host, mirror, agent, connecting); }));
  ClusterView view;
  for (auto& future : asked) {
    Answer answer = future.get();
    status.hosts.push_back(std::move(answer.status));
    if (answer.view.answered && !view.answered) {
      view.answered = true;
      view.nodes = std::move(answer.view.nodes);
    }
    const HostStatus& told = status.hosts.back();
    if (cluster.find(told.name)->has(Role::control_plane)) status.etcd[told.name] = answer.etcd_healthy;
  }
  for (HostStatus& host : status.hosts) {
    if (!cluster.find(host.name)->is_node()) continue;
    const auto node = view.nodes.find(host.name);
    host.node = !view.answered ? "unknown" : node == view.nodes.end() ? "missing" : node->second.first;
    if (node != view.nodes.end()) host.version = node->second.second;
  }
  status.problems = find_problems(cluster, status, now());
  return status;
}

}  // namespace sealift::installer
