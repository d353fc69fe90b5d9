/// Steps that let the cluster through a firewall of the administrator's (HA.md 1.4 P-9).
#pragma once

#include "installer/host/facts.hpp"
#include "installer/phases/steps.hpp"
#include "installer/render/firewall.hpp"

namespace sealift::installer {

/// Adds our rules to each active firewall that we know how to add to, beside the administrator's, and has it
/// read them. firewalld forgets then what was changed in it without --permanent.
Status open_firewalls(const Facts& facts, const FirewallRules& rules, StepList& steps);

}  // namespace sealift::installer
