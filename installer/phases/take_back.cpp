#include <algorithm>

#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"

namespace sealift::installer {
namespace {

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

/// Takes the host out of the running cluster: its etcd member, that would cost the quorum, while that member
/// still votes; and its node object, that would keep kubeadm from joining. Returns the id of the task to wait
/// for.
std::string add_cleaning(const Site& site, const Host& host, std::vector<std::string> after, Plan& plan) {
  const Host& leader = *site.cluster.find(site.membership.leader);
  const std::string lane = "clean-" + host.name;
  const std::string task = "init/" + leader.name + "/" + lane;
  StepList look("init", leader.name);
  std::string list_id;
  if (host.has(Role::control_plane)) {
    const auto list = at_leader(site, etcdctl(leader, {"member", "list", "-w", "json"}));
    // Right after an init that outlived its installer, the pod is not known to the API yet.
    look.add("etcd-answers-" + host.name,
             WaitFor{CommandSucceeds{.arguments = list, .timeout = std::chrono::seconds(20)},
                     std::chrono::seconds(120)},
             kLostQuorum);
    list_id = look.add("members-" + host.name, Capture{.arguments = list}, kLostQuorum);
  }
  plan.tasks.push_back({.id = task + "-look",
                        .phase = "init",
                        .host = leader.name,
                        .lane = lane,
                        .after = std::move(after),
                        .steps = look.take()});
  const auto make = [site, leader, host, list_id](const Outputs& outputs) -> Result<std::vector<Step>> {
    StepList steps("init", leader.name);
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
                        .phase = "init",
                        .host = leader.name,
                        .lane = lane,
                        .after = {task + "-look"},
                        .make_steps = make,
                        .make_steps_title = "take back what an earlier attempt of " + host.name + " left"});
  return task;
}

}  // namespace

std::vector<std::string> add_take_back(const Site& site, const std::vector<std::string>& after, Plan& plan) {
  std::vector<std::string> all = after;
  std::vector<std::string> last = after;
  // In a running cluster one host after the other: etcd must have settled before it loses the next member.
  const auto added = [&](const std::string& task) {
    all.push_back(task);
    if (site.membership.initialised) last = {task};
  };
  for (const Host* host : site.cluster.nodes()) {
    if (!site.is_pending(*host)) continue;
    if (site.membership.initialised) added(add_cleaning(site, *host, last, plan));
    if (!site.membership.leftovers.contains(host->name)) continue;
    StepList steps("init", host->name);
    steps.add("reset", Run{.arguments = {"kubeadm", "reset", "-f",
                                         "--cri-socket=unix:///run/containerd/containerd.sock"},
                           .check = kAlways});
    const std::string task = "init/" + host->name + "/reset";
    plan.tasks.push_back(
        {.id = task, .phase = "init", .host = host->name, .after = last, .steps = steps.take()});
    added(task);
  }
  return all;
}

}  // namespace sealift::installer
