/// When the API servers of joined control planes come into use, and what becomes of those who watched the
/// first one meanwhile.
///
/// An API server that starts beside an etcd that is not there yet accepts connections and lets requests hang:
/// it is balanced to only once it is ready.
///
/// While etcd grows from one member to two it has no leader until the second one has started. The API servers
/// of Kubernetes before 1.22 (etcd's client 3.4) then lose watches, and who watched the first one hears
/// nothing for up to ten minutes. When that server has been restarted, everybody watches anew.
#pragma once

#include <string>
#include <vector>

#include "installer/apply/plan.hpp"
#include "installer/phases/steps.hpp"
#include "installer/plan/site.hpp"

namespace sealift::installer {

/// Will this plan's joins take etcd from one member to two?
bool etcd_will_lose_its_leader(const Site& site);

/// Adds the task that writes kStaleWatchers (membership.hpp); returns its id.
std::string note_stale_watchers(const Site& site, Plan& plan);

/// Adds to phase "join": each control plane that has joined comes behind the balancers when its API server is
/// ready.
Status add_serving(const Site& site, Plan& plan);

/// Adds to phase "network", if watches were lost: the leader's API server is restarted when the tasks in
/// `after` are done and another server is behind the balancers.
void restart_first_server(const Site& site, std::vector<std::string> after, Plan& plan);

/// Adds the steps that make nginx balance to the control planes that are members and to those in `joined`.
Status add_nginx(const Site& site, const std::vector<const Host*>& joined, StepList& steps);

}  // namespace sealift::installer
