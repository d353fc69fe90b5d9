#include "installer/plan/membership.hpp"

#include <algorithm>

namespace sealift::installer {
namespace {

/// The first of the files a member has that this host lacks; empty when it has them all.
std::string missing_file(const Host& host, const Facts& facts) {
  std::vector<const char*> files{kMemberMark, kKubeletConfig};
  if (host.has(Role::control_plane)) files.push_back(kAdminConfig);
  for (const char* file : files)
    if (!facts.has(file)) return file;
  return {};
}

/// Did kubeadm finish here when it last ran, by the mark or by the journal? Who loses one of them still has
/// the other.
bool was_member(const Facts& facts) { return facts.has(kMemberMark) || facts.newest_step == "done"; }

}  // namespace

std::vector<std::string> kubeadm_steps(const Host& host) {
  return {"init/" + host.name + "/kubeadm", "join/" + host.name + "/kubeadm"};
}

Membership find_membership(const Cluster& cluster, const std::map<std::string, Facts>& facts) {
  Membership membership;
  for (const Host* host : cluster.nodes()) {
    const auto found = facts.find(host->name);
    if (found == facts.end()) continue;
    const std::string missing = missing_file(*host, found->second);
    if (missing.empty())
      membership.members.insert(host->name);
    else if (found->second.kubernetes_files.empty())
      continue;  // new, or reset by hand
    else if (was_member(found->second))
      membership.damaged[host->name] = missing;
    else
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
