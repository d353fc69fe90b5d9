/// While etcd grows from one member to two it has no leader until the second one has started. The API servers
/// of Kubernetes before 1.22 (etcd's client 3.4) then lose watches, and who watched the first one hears
/// nothing for up to ten minutes. Fresh processes watch anew.
#pragma once

#include <string>
#include <vector>

#include "installer/apply/plan.hpp"
#include "installer/plan/site.hpp"

namespace sealift::installer {

/// Will this plan's joins take etcd from one member to two?
bool etcd_will_lose_its_leader(const Site& site);
/// The same, or it happened in a run that did not come to restarting them.
bool watchers_are_stale(const Site& site);

/// Adds the task that writes kStaleWatchers (membership.hpp); returns its id.
std::string note_stale_watchers(const Site& site, Plan& plan);

/// Restarts containers of the leader, by the names of their containers, as task "<phase>/<leader>/watchers".
void add_fresh_watchers(const Site& site, const std::string& phase, const std::vector<std::string>& names,
                        std::vector<std::string> after, Plan& plan);

}  // namespace sealift::installer
