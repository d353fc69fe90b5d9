/// The parts of gather_facts; each fills its fields and leaves them empty where the host does not tell.
#pragma once

#include <string>
#include <vector>

#include "installer/host/facts.hpp"

namespace sealift::installer {

/// Of a file that facts are read from, and of what a command says.
inline constexpr std::uint64_t kMaxFactsFile = 16U << 20;

/// A symbolic link that leads nowhere exists, too.
bool entry_exists(const std::string& path);

void gather_network(Facts& facts, const std::string& root);
void gather_listeners(Facts& facts, const std::string& root);
void gather_software(Facts& facts, const FactsRequest& request, const std::string& root);

/// Does a rule or a policy in the output of `nft list ruleset` or `iptables-save` drop or reject packets?
/// Leaves out what belongs to container software and to these active firewalls.
bool refuses_packets(const std::string& rules, const std::vector<std::string>& firewalls);

/// TCP connects, all at once.
std::vector<ReachFact> probe_reach(const std::vector<AddressPort>& targets);

/// Duplicate address detection: three probes each, 200 ms apart, on the interface whose subnet holds the
/// address; by ARP as `arping -D` does it (RFC 5227: sender 0.0.0.0), of IPv6 by Neighbor Solicitation
/// (RFC 4861). Needs `facts.addresses` and `.interfaces`.
std::vector<ClaimFact> probe_claims(const std::vector<std::string>& addresses, const Facts& facts);

/// Listens for VRRP advertisements (IP protocol 112, unicast and 224.0.0.18) on all interfaces.
std::vector<VrrpFact> listen_vrrp(std::uint32_t milliseconds, const Facts& facts);

/// Reads one VRRP version 2 or 3 packet (RFC 3768, RFC 5798) behind its IP header; false when it is none.
bool parse_vrrp(std::string_view ip_packet, VrrpFact& fact);

}  // namespace sealift::installer
