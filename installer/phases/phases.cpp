#include "installer/phases/phases.hpp"

namespace sealift::installer {
namespace {

struct PhaseEntry {
  const char* name;
  const char* title;
  Status (*add)(const Site&, Plan&);
};

/// Everything was looked at before there is a plan (installer/preflight); the phase only has its place in the
/// list.
Status preflight_is_over(const Site&, Plan&) { return {}; }

/// The installation at a glance.
constexpr PhaseEntry kPhases[] = {
    {"preflight", "look at everything before changing anything", preflight_is_over},
    {"mirror", "serve the bundle", add_mirror},
    {"prepare", "prepare hosts", add_prepare},
    {"runtime", "container runtime, programs and images", add_runtime},
    {"balancer", "floating API address", add_balancer},
    {"init", "first control plane", add_init},
    {"join", "other control planes and workers", add_join},
    {"network", "pod network", add_network},
    {"verify", "prove that it works", add_verify},
};

}  // namespace

std::vector<std::string> phase_names() {
  std::vector<std::string> names;
  for (const PhaseEntry& phase : kPhases) names.emplace_back(phase.name);
  return names;
}

Result<Plan> make_plan(const Site& site) {
  Plan plan;
  plan.cluster_name = site.cluster.name;
  plan.cluster_id = site.cluster_id;
  for (const PhaseEntry& phase : kPhases) plan.phases.push_back({phase.name, phase.title});
  for (const PhaseEntry& phase : kPhases) TRY(phase.add(site, plan));
  return plan;
}

}  // namespace sealift::installer
