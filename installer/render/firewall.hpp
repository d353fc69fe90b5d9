/// What a firewall of the administrator's must let through (HA.md 1.2, P-9). Sealift adds to it, in files of
/// its own, and only what the administrator's rules neither allow nor deny.
#pragma once

#include <string>
#include <vector>

#include "installer/inventory/cluster.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// New connections that are accepted.
struct Opening {
  std::string from{};      ///< address or network; empty: from anywhere
  std::string to{};        ///< the same, for what is forwarded; empty: to anywhere
  std::string protocol{};  ///< "tcp" or "udp"; empty: every protocol and port
  std::string ports{};     ///< "16443" or "30000-32767"
};

struct FirewallRules {
  std::string name{};  ///< of our policies and chains: "sealift"
  bool v6 = false;
  std::vector<Opening> input{};
  std::vector<Opening> forward{};
  std::string pods{};  ///< this host has pods, in this network; empty: it has none
};

/// On a host of the cluster: hosts and pods reach it and the pods on it, clients the endpoint and NodePorts.
FirewallRules host_firewall(const Cluster& cluster, const Host& host);
/// On the deploy host: the hosts reach the mirror.
FirewallRules mirror_firewall(const Cluster& cluster);

/// The policy of firewalld (0.9 or newer) for what comes to the host itself.
Result<std::string> render_firewalld_input(const FirewallRules& rules);
/// The policy for what the host forwards.
Result<std::string> render_firewalld_forward(const FirewallRules& rules);
/// The lines that go to the end of ufw's after.rules (IPv6: after6.rules), which it loads whenever it starts.
Result<std::string> render_ufw_rules(const FirewallRules& rules);
/// Our chains alone, for `iptables-restore --noflush` (IPv6: ip6tables-restore): without the jumps to them
/// from ufw's own chains, which every loading would add once more.
Result<std::string> render_ufw_chains(const FirewallRules& rules);

}  // namespace sealift::installer
