#include "installer/preflight/addresses.hpp"

namespace sealift::installer {

std::optional<InterfaceAddress> find_address(const Facts& facts, const IpAddress& address) {
  for (const InterfaceAddress& entry : facts.addresses)
    if (const auto own = IpAddress::parse(entry.address); own && *own == address) return entry;
  return std::nullopt;
}

std::optional<InterfaceAddress> find_subnet(const Facts& facts, const IpAddress& address,
                                            const std::string& interface) {
  for (const InterfaceAddress& entry : facts.addresses) {
    if (!interface.empty() && entry.interface != interface) continue;
    const auto own = IpAddress::parse(entry.address);
    // A /32 is a floating address itself and says nothing of the network around it.
    if (!own || own->is_loopback() || entry.prefix == 0 || entry.prefix >= (own->is_v6() ? 128U : 32U))
      continue;
    if (const auto network = Network::around(*own, entry.prefix); network && network->contains(address))
      return entry;
  }
  return std::nullopt;
}

std::string floating_interface(const Cluster& cluster, const Facts& facts) {
  if (!cluster.endpoint.interface.empty()) return cluster.endpoint.interface;
  const auto entry = find_subnet(facts, cluster.endpoint.address);
  return entry ? entry->interface : "";
}

}  // namespace sealift::installer
