#include "installer/phases/serving.hpp"

#include <algorithm>

#include "installer/phases/steps.hpp"
#include "installer/preflight/preflight.hpp"
#include "installer/render/balancer.hpp"

namespace sealift::installer {
namespace {

bool joins(const Site& site, const Host& host) {
  return host.name != site.membership.leader && site.is_pending(host);
}

/// Did it happen in a run that was killed before it had restarted the server?
bool watchers_were_left(const Site& site) {
  return site.facts.at(site.membership.leader).has(kStaleWatchers);
}

/// Waits until the API server of a control plane that has joined is ready; returns the id of the task.
std::string wait_for_server(const Site& site, const Host& host, Plan& plan) {
  const std::string& leader = site.membership.leader;
  StepList steps("join", leader);
  steps.add("api-server-" + host.name, api_server_ready(host),
            "crictl ps -a and crictl logs on " + host.name + " show the API server's last words");
  const std::string id = "join/" + leader + "/ready-" + host.name;
  plan.tasks.push_back({.id = id,
                        .phase = "join",
                        .host = leader,
                        .lane = "ready-" + host.name,
                        .after = {"join/" + host.name},
                        .steps = steps.take()});
  return id;
}

/// Tells the balancers of the last in `joined` once task `ready` is done.
Status add_to_balancers(const Site& site, const std::vector<const Host*>& joined, const std::string& ready,
                        Plan& plan) {
  const std::string& name = joined.back()->name;
  for (const Host* balancer : site.cluster.balancers()) {
    StepList steps("balancer", balancer->name);
    TRY(add_nginx(site, joined, steps));
    plan.tasks.push_back(
        {.id = "join/" + balancer->name + "/balancer-" + name,
         .phase = "join",
         .host = balancer->name,
         .lane = "balancer",
         .after = {ready},
         // The very steps of the phase before: killed between the file and the reload, the next
         // run finds a file that is newer than what nginx has read.
         .make_steps = [made = steps.take()](const Outputs&) -> Result<std::vector<Step>> { return made; },
         .make_steps_title = "balance to " + name + " too"});
  }
  return {};
}

}  // namespace

bool etcd_will_lose_its_leader(const Site& site) {
  if (site.kubernetes >= ReleaseVersion{1, 22, 0} || site.membership.control_planes > 1) return false;
  for (const Host* host : site.cluster.with(Role::control_plane))
    if (joins(site, *host)) return true;
  return false;
}

std::string note_stale_watchers(const Site& site, Plan& plan) {
  const std::string& leader = site.membership.leader;
  StepList steps("join", leader);
  steps.add(
      "note-watchers",
      WriteFile{kStaleWatchers, "Written by Sealift: the first API server is to be restarted.\n", 0600});
  const std::string task = "join/" + leader + "/note";
  plan.tasks.push_back({.id = task,
                        .phase = "join",
                        .host = leader,
                        .lane = "watchers",
                        .after = {"init/" + leader},
                        .steps = steps.take()});
  return task;
}

Status add_serving(const Site& site, Plan& plan) {
  std::vector<const Host*> joined;
  for (const Host* host : site.cluster.with(Role::control_plane)) {
    if (!joins(site, *host)) continue;
    joined.push_back(host);
    TRY(add_to_balancers(site, joined, wait_for_server(site, *host, plan), plan));
  }
  return {};
}

void restart_first_server(const Site& site, std::vector<std::string> after, Plan& plan) {
  if (!etcd_will_lose_its_leader(site) && !watchers_were_left(site)) return;
  const std::string& leader = site.membership.leader;
  const std::string task = "network/" + leader + "/restart";
  for (const Host* host : site.cluster.with(Role::control_plane)) {
    if (!joins(site, *host)) continue;
    // Another server is enough to go on with.
    after.push_back("join/" + leader + "/ready-" + host->name);
    for (const Host* balancer : site.cluster.balancers())
      after.push_back("join/" + balancer->name + "/balancer-" + host->name);
    break;
  }
  StepList look("network", leader);
  const std::string container =
      look.add("api-server", Capture{.arguments = {"crictl", "ps", "-q", "--name", "kube-apiserver"}});
  plan.tasks.push_back({.id = task + "-look",
                        .phase = "network",
                        .host = leader,
                        .lane = "restart",
                        .after = std::move(after),
                        .steps = look.take()});
  const auto make = [leader, container](const Outputs& outputs) -> Result<std::vector<Step>> {
    TRY_ASSIGN(const std::string containers, outputs.get(container));
    StepList steps("network", leader);
    for (const std::string& id : lines_of(containers))
      steps.add("restart-" + id.substr(0, 12),
                Run{.arguments = {"crictl", "stop", id}, .check = kAlways, .success_codes = {0, 1}});
    steps.add("forget-watchers", RemovePath{kStaleWatchers});
    return steps.take();
  };
  plan.tasks.push_back(
      {.id = task,
       .phase = "network",
       .host = leader,
       .lane = "restart",
       .after = {task + "-look"},
       .make_steps = make,
       .make_steps_title = "restart the API server that was there while etcd had no leader"});
}

Status add_nginx(const Site& site, const std::vector<const Host*>& joined, StepList& steps) {
  NginxSettings settings;
  settings.cluster = site.cluster.name;
  for (const Host* host : site.cluster.with(Role::control_plane))
    if (!joins(site, *host) || std::find(joined.begin(), joined.end(), host) != joined.end())
      settings.servers.push_back(host->address);
  settings.port = site.cluster.endpoint.port;
  settings.v6 = site.cluster.endpoint.address.is_v6();
  TRY_ASSIGN(std::string config, render_nginx(settings));
  TRY_ASSIGN(std::string unit, render_balancer_unit("/usr/sbin/nginx"));
  const std::string config_id = steps.add("nginx", WriteFile{kBalancerConfig, std::move(config)});
  const std::string unit_id =
      steps.add("nginx-unit", WriteFile{"/etc/systemd/system/sealift-lb.service", std::move(unit)});
  steps.add("nginx-service",
            SystemdUnit{.unit = "sealift-lb.service", .restart_on = {unit_id}, .reload_on = {config_id}},
            "journalctl -u sealift-lb on the host; another program may hold the port");
  return {};
}

}  // namespace sealift::installer
