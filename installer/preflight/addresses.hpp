/// Where on a host an address lives or belongs.
#pragma once

#include <optional>
#include <string>

#include "installer/host/facts.hpp"
#include "installer/inventory/cluster.hpp"

namespace sealift::installer {

/// The address of that host as one of its interfaces has it, or none.
std::optional<InterfaceAddress> find_address(const Facts& facts, const IpAddress& address);

/// An interface of the host in whose subnet the address lies, or none; `interface`: this one alone.
std::optional<InterfaceAddress> find_subnet(const Facts& facts, const IpAddress& address,
                                            const std::string& interface = {});

/// The interface that carries the floating address: the one named in cluster.yaml, else the one whose subnet
/// holds it. Empty when there is none (preflight refuses that).
std::string floating_interface(const Cluster& cluster, const Facts& facts);

}  // namespace sealift::installer
