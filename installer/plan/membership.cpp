#include "installer/plan/membership.hpp"

namespace sealift::installer {
namespace {

bool exists(const Facts& facts, const char* path) {
  const auto found = facts.paths.find(path);
  return found != facts.paths.end() && found->second;
}

}  // namespace

Membership find_membership(const Cluster& cluster, const std::map<std::string, Facts>& facts) {
  Membership membership;
  for (const Host* host : cluster.nodes()) {
    const auto found = facts.find(host->name);
    if (found == facts.end()) continue;
    // Both: `kubeadm reset` by hand leaves our mark but not the kubelet's credentials.
    const bool control_plane_ready = !host->has(Role::control_plane) || exists(found->second, kAdminConfig);
    if (exists(found->second, kMemberMark) && exists(found->second, kKubeletConfig) && control_plane_ready)
      membership.members.insert(host->name);
    else if (!found->second.kubernetes_files.empty())
      membership.leftovers.insert(host->name);
  }
  for (const Host* host : cluster.with(Role::control_plane)) {
    if (membership.leader.empty()) membership.leader = host->name;
    if (!membership.has(*host)) continue;
    if (!membership.initialised) membership.leader = host->name;
    membership.initialised = true;
    ++membership.control_planes;
  }
  return membership;
}

Result<std::string> find_cluster_id(const Cluster& cluster, const std::map<std::string, Facts>& facts,
                                    const std::string& own) {
  std::string id = own;
  std::string known_by = "this host";
  for (const Host& host : cluster.hosts) {
    const auto found = facts.find(host.name);
    if (found == facts.end() || found->second.journal_cluster_name != cluster.name) continue;
    if (id.empty()) {
      id = found->second.journal_cluster_id;
      known_by = "host '" + host.name + "'";
    } else if (id != found->second.journal_cluster_id) {
      return fail(ErrorCode::conflict,
                  "host '{}' belongs to another cluster that is also called '{}' (id {}; {} knows {}): take "
                  "it out of "
                  "cluster.yaml, or reset it first",
                  host.name, cluster.name, found->second.journal_cluster_id, known_by, id);
    }
  }
  return id;
}

}  // namespace sealift::installer
