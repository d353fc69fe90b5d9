#include "installer/phases/watchers.hpp"

#include "installer/phases/steps.hpp"

namespace sealift::installer {

bool etcd_will_lose_its_leader(const Site& site) {
  if (site.kubernetes >= ReleaseVersion{1, 22, 0} || site.membership.control_planes > 1) return false;
  for (const Host* host : site.cluster.with(Role::control_plane))
    if (host->name != site.membership.leader && site.is_pending(*host)) return true;
  return false;
}

bool watchers_are_stale(const Site& site) {
  const auto& paths = site.facts.at(site.membership.leader).paths;
  const auto found = paths.find(kStaleWatchers);
  return etcd_will_lose_its_leader(site) || (found != paths.end() && found->second);
}

std::string note_stale_watchers(const Site& site, Plan& plan) {
  const std::string& leader = site.membership.leader;
  StepList steps("join", leader);
  steps.add("note-watchers", WriteFile{kStaleWatchers, "", 0600});
  const std::string task = "join/" + leader + "/note";
  plan.tasks.push_back({.id = task,
                        .phase = "join",
                        .host = leader,
                        .lane = "watchers",
                        .after = {"init/" + leader},
                        .steps = steps.take()});
  return task;
}

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
      for (const std::string& container : lines_of(containers))
        steps.add("restart-" + container.substr(0, 12),
                  Run{.arguments = {"crictl", "stop", container}, .check = kAlways, .success_codes = {0, 1}});
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

}  // namespace sealift::installer
