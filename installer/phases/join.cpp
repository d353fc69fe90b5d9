#include "installer/phases/phases.hpp"
#include "installer/phases/serving.hpp"
#include "installer/phases/steps.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kJoinConfig = "/etc/kubernetes/sealift/kubeadm-join.yaml";
constexpr const char* kDiscovery = "/etc/kubernetes/sealift/discovery.conf";

void forget_credentials(StepList& steps) {
  steps.add("forget", RemovePath{kJoinConfig});
  steps.add("forget-discovery", RemovePath{kDiscovery});
}

Result<std::vector<Step>> join_steps(const Site& site, const Host& host, const std::string& ca) {
  StepList steps("join", host.name);
  steps.add("unmark", RemovePath{kMemberMark});
  TRY_ASSIGN(std::string config,
             render_kubeadm_join(site.cluster, host, site.kubernetes, site.secrets, kDiscovery));
  steps.add("discovery", WriteFile{kDiscovery, render_discovery(site.cluster, ca), 0600});
  steps.add("config", WriteFile{kJoinConfig, std::move(config), 0600, Secrecy::secret});
  std::vector<std::string> arguments{"kubeadm", "join", std::string("--config=") + kJoinConfig};
  if (host.has(Role::control_plane)) take_storage_request_from_etcd(site, steps, arguments);
  if (!site.cluster.dns && host.has(Role::control_plane))
    arguments.emplace_back("--ignore-preflight-errors=ImagePull");
  steps.add("kubeadm",
            Run{.arguments = std::move(arguments),
                .creates = kMemberMark,
                .mark = site.cluster_id + "\n",
                .timeout = kKubeadmPatience,
                .redact = {site.secrets.token, site.secrets.certificate_key}},
            "the same command continues: it takes back what this host has half done and joins it again");
  forget_credentials(steps);
  return steps.take();
}

/// Adds what makes one host a member, after `previous`; returns the id of its task.
std::string add_member(const Site& site, const Host& host, const std::string& previous, Plan& plan) {
  const std::string id = "join/" + host.name;
  const std::string ca_id = "init/" + site.membership.leader + "/ca";
  plan.tasks.push_back(
      {.id = id,
       .phase = "join",
       .host = host.name,
       .after = {previous, "init/" + site.membership.leader, "runtime/" + host.name + "/images"},
       .make_steps = [site, host, ca_id](const Outputs& outputs) -> Result<std::vector<Step>> {
         TRY_ASSIGN(const std::string ca, outputs.get(ca_id));
         return join_steps(site, host, ca);
       },
       .make_steps_title = host.has(Role::control_plane) ? "join as control plane" : "join as worker"});
  return id;
}

}  // namespace

Status add_join(const Site& site, Plan& plan) {
  const std::string init = "init/" + site.membership.leader;
  // One control plane after the other: etcd must have settled before it grows again.
  std::string last = init;
  std::string last_but_one = init;
  for (const Host* host : site.cluster.with(Role::control_plane)) {
    if (host->name == site.membership.leader || !site.is_pending(*host)) continue;
    last_but_one = last;
    if (last == init && etcd_will_lose_its_leader(site)) last = note_stale_watchers(site, plan);
    last = add_member(site, *host, last, plan);
  }
  // Workers all at once, beside the last control plane.
  for (const Host* host : site.cluster.with(Role::worker))
    if (!host->has(Role::control_plane) && site.is_pending(*host))
      add_member(site, *host, last_but_one, plan);
  // The run that joined the others may have been killed before it had cleared up.
  for (const Host* host : site.cluster.nodes()) {
    if (site.is_pending(*host) || host->name == site.membership.leader) continue;
    StepList steps("join", host->name);
    forget_credentials(steps);
    plan.tasks.push_back({.id = "join/" + host->name,
                          .phase = "join",
                          .host = host->name,
                          .after = {init},
                          .steps = steps.take()});
  }
  return add_serving(site, plan);
}

}  // namespace sealift::installer
