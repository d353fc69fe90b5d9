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

/// What an earlier attempt left: takes every host that is to be joined out of the cluster (etcd member, node
/// object) and resets those that have something of Kubernetes on them, in this order, so that etcd never
/// loses a vote it counts on. Done before new credentials are made: an API server that has lost its etcd must
/// be gone from behind the floating address by then. Returns the tasks to wait for: `after` and those added.
std::vector<std::string> add_take_back(const Site& site, const std::vector<std::string>& after, Plan& plan);

}  // namespace sealift::installer
