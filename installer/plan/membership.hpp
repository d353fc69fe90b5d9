/// Which hosts are members of the cluster already, by what they themselves say.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "installer/host/facts.hpp"
#include "installer/inventory/cluster.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Written on a host when it has become a member; holds the cluster's id.
inline constexpr const char* kMemberMark = "/etc/kubernetes/sealift/member";
/// On the leader, from before the second control plane joins until what watched meanwhile has been restarted
/// (phases/serving.hpp): a run that is killed in between must not leave it deaf.
inline constexpr const char* kStaleWatchers = "/etc/kubernetes/sealift/stale-watchers";
inline constexpr const char* kKubeletConfig = "/etc/kubernetes/kubelet.conf";
inline constexpr const char* kAdminConfig = "/etc/kubernetes/admin.conf";

struct Membership {
  std::set<std::string> members;    ///< host names
  std::set<std::string> leftovers;  ///< hosts with the remains of an attempt of ours that did not finish
  /// Hosts that were members and still hold their state, but lack a file that a member has. Nothing may be
  /// taken back there: a person has to look.
  std::map<std::string, std::string> damaged;  ///< host name -> the missing file
  std::string leader;  ///< control plane that speaks for the cluster: the first member, else the first of all
  std::size_t control_planes = 0;  ///< how many of the members are control planes
  bool initialised = false;        ///< some control plane is a member

  bool has(const Host& host) const { return members.contains(host.name); }
};

/// The steps that make this host a member; their last words in its journal are asked for.
std::vector<std::string> kubeadm_steps(const Host& host);

Membership find_membership(const Cluster& cluster, const std::map<std::string, Facts>& facts);

/// The id under which the hosts know this cluster; empty when none does. Hosts that know the same name by
/// different ids are ErrorCode::conflict. `own`: what this deploy host remembers, or empty.
Result<std::string> find_cluster_id(const Cluster& cluster, const std::map<std::string, Facts>& facts,
                                    const std::string& own);

}  // namespace sealift::installer
