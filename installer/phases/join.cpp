#include <algorithm>

#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kJoinConfig = "/etc/kubernetes/sealift/kubeadm-join.yaml";
/// The one state that needs a person: etcd took up a member that never started, and waits for it.
constexpr const char* kLostQuorum =
    "if the API does not answer either, an interrupted join left an etcd member that never started: on this "
    "host, add "
    "--force-new-cluster to /etc/kubernetes/manifests/etcd.yaml, wait until etcd runs, take it out again, "
    "and run "
    "the same command";
constexpr const char* kDiscovery = "/etc/kubernetes/sealift/discovery.conf";

/// Ids of the etcd members that stand for this host: by name, or by address when it never started.
Result<std::vector<std::string>> members_of(const std::string& member_list, const Host& host) {
  TRY_ASSIGN(const json::Value value, json::parse(member_list, "etcdctl member list"));
  TRY_ASSIGN(const auto list, json::Reader::of(value, "etcdctl member list"));
  std::vector<std::string> ids;
  TRY(list.each("members", [&](const json::Reader& member) -> Status {
    TRY_ASSIGN(const std::uint64_t id, member.unsigned_integer("ID"));
    TRY_ASSIGN(const std::string name, member.string_or("name", ""));
    TRY_ASSIGN(const std::vector<std::string> urls, member.strings("peerURLs"));
    const std::string own = "https://" + host.address.bracketed() + ":2380";
    if (name == host.name || std::find(urls.begin(), urls.end(), own) != urls.end())
      ids.push_back(fmt::format("{:x}", id));
    return {};
  }));
  return ids;
}

/// Takes back what an earlier attempt left in the cluster: an etcd member that would cost the quorum, a node
/// object that would keep kubeadm from joining. Returns the id of the task to wait for.
std::string add_cleaning(const Site& site, const Host& host, const std::string& previous, Plan& plan) {
  const std::string& leader = site.membership.leader;
  const std::string lane = "clean-" + host.name;
  const std::string task = "join/" + leader + "/" + lane;
  StepList look("join", leader);
  std::string list_id;
  if (host.has(Role::control_plane))
    list_id =
        look.add("members-" + host.name,
                 Capture{.arguments = at_leader(site, etcdctl(leader, {"member", "list", "-w", "json"}))},
                 kLostQuorum);
  plan.tasks.push_back({.id = task + "-look",
                        .phase = "join",
                        .host = leader,
                        .lane = lane,
                        .after = {previous},
                        .steps = look.take()});
  const auto make = [site, leader, host, list_id](const Outputs& outputs) -> Result<std::vector<Step>> {
    StepList steps("join", leader);
    if (!list_id.empty()) {
      TRY_ASSIGN(const std::string members, outputs.get(list_id));
      TRY_ASSIGN(const auto ids, members_of(members, host));
      for (const std::string& id : ids)
        // Tried again: etcd refuses while its peers have not been connected for five seconds.
        steps.add(
            "remove-member-" + id,
            WaitFor{CommandSucceeds{.arguments = at_leader(site, etcdctl(leader, {"member", "remove", id})),
                                    .timeout = std::chrono::seconds(20)},
                    std::chrono::seconds(90)},
            kLostQuorum);
    }
    steps.add("remove-node-" + host.name,
              Run{.arguments = at_leader(site, kubectl({"delete", "node", host.name, "--ignore-not-found"})),
                  .check = kAlways});
    return steps.take();
  };
  plan.tasks.push_back({.id = task,
                        .phase = "join",
                        .host = leader,
                        .lane = lane,
                        .after = {task + "-look"},
                        .make_steps = make,
                        .make_steps_title = "take back what an earlier attempt of " + host.name + " left"});
  return task;
}

Result<std::vector<Step>> join_steps(const Site& site, const Host& host, const std::string& ca) {
  StepList steps("join", host.name);
  if (site.membership.leftovers.contains(host.name))
    steps.add("reset", Run{.arguments = {"kubeadm", "reset", "-f",
                                         "--cri-socket=unix:///run/containerd/containerd.sock"},
                           .check = kAlways});
  steps.add("unmark", RemovePath{kMemberMark});
  TRY_ASSIGN(std::string config,
             render_kubeadm_join(site.cluster, host, site.kubernetes, site.secrets, kDiscovery));
  steps.add("discovery", WriteFile{kDiscovery, render_discovery(site.cluster, ca), 0600});
  steps.add("config", WriteFile{kJoinConfig, std::move(config), 0600, Secrecy::secret});
  std::vector<std::string> arguments{"kubeadm", "join", std::string("--config=") + kJoinConfig};
  if (!site.cluster.dns && host.has(Role::control_plane))
    arguments.emplace_back("--ignore-preflight-errors=ImagePull");
  steps.add("kubeadm",
            Run{.arguments = std::move(arguments),
                .creates = kMemberMark,
                .redact = {site.secrets.token, site.secrets.certificate_key}},
            "the same command continues: it takes back what this host has half done and joins it again");
  steps.add("mark", WriteFile{kMemberMark, site.cluster_id + "\n", 0600});
  steps.add("forget", RemovePath{kJoinConfig});
  steps.add("forget-discovery", RemovePath{kDiscovery});
  return steps.take();
}

/// Adds what makes one host a member, after `previous`; returns the id of its task.
std::string add_member(const Site& site, const Host& host, const std::string& previous, Plan& plan) {
  const std::string id = "join/" + host.name;
  std::vector<std::string> after{previous, "init/" + site.membership.leader,
                                 "runtime/" + host.name + "/images"};
  if (site.membership.initialised || site.membership.leftovers.contains(host.name))
    after.push_back(add_cleaning(site, host, previous, plan));
  const std::string ca_id = "init/" + site.membership.leader + "/ca";
  plan.tasks.push_back(
      {.id = id,
       .phase = "join",
       .host = host.name,
       .after = std::move(after),
       .make_steps = [site, host, ca_id](const Outputs& outputs) -> Result<std::vector<Step>> {
         TRY_ASSIGN(const std::string ca, outputs.get(ca_id));
         return join_steps(site, host, ca);
       },
       .make_steps_title = host.has(Role::control_plane) ? "join as control plane" : "join as worker"});
  return id;
}

}  // namespace

void add_fresh_watchers(const Site& site, const std::string& phase, const std::vector<std::string>& names,
                        std::vector<std::string> after, Plan& plan) {
  const std::string& leader = site.membership.leader;
  const std::string task = phase + "/" + leader + "/watchers";
  StepList look(phase, leader);
  std::vector<std::string> ids;
  for (const std::string& name : names)
    ids.push_back(look.add("watcher-" + name, Capture{.arguments = {"crictl", "ps", "-q", "--name", name}}));
  plan.tasks.push_back({.id = task + "-look",
                        .phase = phase,
                        .host = leader,
                        .lane = "watchers",
                        .after = std::move(after),
                        .steps = look.take()});
  const auto make = [phase, leader, ids](const Outputs& outputs) -> Result<std::vector<Step>> {
    StepList steps(phase, leader);
    for (const std::string& id : ids) {
      TRY_ASSIGN(const std::string containers, outputs.get(id));
      for (std::size_t begin = 0; begin < containers.size();) {
        const std::size_t end = std::min(containers.find('\n', begin), containers.size());
        const std::string container = containers.substr(begin, end - begin);
        begin = end + 1;
        if (container.empty()) continue;
        steps.add("restart-" + container.substr(0, 12),
                  Run{.arguments = {"crictl", "stop", container}, .check = kAlways, .success_codes = {0, 1}});
      }
    }
    return steps.take();
  };
  plan.tasks.push_back({.id = task,
                        .phase = phase,
                        .host = leader,
                        .lane = "watchers",
                        .after = {task + "-look"},
                        .make_steps = make,
                        .make_steps_title = "restart what watched while etcd had no leader"});
}

Status add_join(const Site& site, Plan& plan) {
  const std::string init = "init/" + site.membership.leader;
  // One control plane after the other: etcd must have settled before it grows again.
  std::string last = init;
  std::string last_but_one = init;
  for (const Host* host : site.cluster.with(Role::control_plane)) {
    if (host->name == site.membership.leader || !site.is_pending(*host)) continue;
    last_but_one = last;
    last = add_member(site, *host, last, plan);
    const bool second = last_but_one == init && site.membership.control_planes <= 1;
    if (second && site.kubernetes < ReleaseVersion{1, 22, 0})
      add_fresh_watchers(site, "join", {"kube-proxy"}, {last}, plan);
  }
  // Workers all at once, beside the last control plane.
  for (const Host* host : site.cluster.with(Role::worker))
    if (!host->has(Role::control_plane) && site.is_pending(*host))
      add_member(site, *host, last_but_one, plan);
  return {};
}

}  // namespace sealift::installer
