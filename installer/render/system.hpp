/// Texts and settings of host preparation (HA.md 1.4).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "installer/inventory/cluster.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// What cloud-init with manage_etc_hosts makes /etc/hosts of, anew at every boot.
inline constexpr const char* kCloudInitHosts = "/etc/cloud/templates/hosts.debian.tmpl";

/// Lines for /etc/hosts: every host, and the endpoint's name when it has one.
std::string render_hosts_block(const Cluster& cluster);

/// Kernel modules of a node; with kube-proxy in IPVS mode also those of IPVS.
std::vector<std::string> node_modules(const Cluster& cluster);
std::map<std::string, std::string> node_sysctls(const Cluster& cluster);

/// Who keeps time: the given servers, or two control planes for all.
struct TimeRole {
  std::vector<std::string> sources;  ///< servers this host asks
  std::vector<std::string> clients;  ///< addresses this host answers; empty: it serves nobody
  bool own_servers = false;          ///< `sources` are hosts of the cluster, and may be asked often
};
TimeRole time_role(const Cluster& cluster, const Host& host);
Result<std::string> render_chrony(const std::string& cluster, const TimeRole& role);

/// The mirror's unit on the deploy host. `command` is the full command line, quoted as systemd wants it;
/// `bundles_state` one line that differs when the bundles' files do.
Result<std::string> render_mirror_unit(const std::string& command, const std::string& bundles_state);

/// One argument as it stands in ExecStart=: quoted when needed, '%' and '$' doubled.
std::string systemd_quote(const std::string& argument);

}  // namespace sealift::installer
