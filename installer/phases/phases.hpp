/// The installation, phase by phase: from what is known of a site to the plan that the runner executes.
#pragma once

#include <string>
#include <vector>

#include "installer/apply/plan.hpp"
#include "installer/plan/site.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// The whole installation. The same site gives the same plan; on an installed cluster no step of it changes
/// anything.
Result<Plan> make_plan(const Site& site);

/// Names of the phases in their order.
std::vector<std::string> phase_names();

/// Each adds its tasks to the plan. In the order of kPhases (phases.cpp).
Status add_mirror(const Site& site, Plan& plan);
Status add_prepare(const Site& site, Plan& plan);
Status add_runtime(const Site& site, Plan& plan);
Status add_balancer(const Site& site, Plan& plan);
Status add_init(const Site& site, Plan& plan);
Status add_join(const Site& site, Plan& plan);
Status add_network(const Site& site, Plan& plan);
Status add_verify(const Site& site, Plan& plan);

/// Restarts containers of the first control plane, by the names of their containers, as task
/// "<phase>/<leader>/watchers".
/// While etcd grows from one member to two it has no leader until the second one has started. The API servers
/// of Kubernetes before 1.22 (etcd's client 3.4) then lose watches, and who watched the first one hears
/// nothing for up to ten minutes. Fresh processes watch anew. kube-proxy can go at once; the controller
/// manager signs the certificates of the joins that follow, so it goes after them.
void add_fresh_watchers(const Site& site, const std::string& phase, const std::vector<std::string>& names,
                        std::vector<std::string> after, Plan& plan);

}  // namespace sealift::installer
