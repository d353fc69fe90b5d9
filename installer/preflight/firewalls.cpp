#include <algorithm>

#include "installer/preflight/preflight.hpp"

namespace sealift::installer {

void check_firewalls(const PreflightInput& input, const std::string& host, const Facts& facts,
                     std::vector<Finding>& findings) {
  const auto managed = input.cluster.firewall ? manageable_firewalls(facts) : std::vector<std::string>{};
  for (const std::string& firewall : facts.firewalls) {
    if (std::find(managed.begin(), managed.end(), firewall) == managed.end())
      findings.push_back({Severity::warning, host, "firewall",
                          fmt::format("{} is active and refuses packets", firewall),
                          "it must let the ports of docs/installing.md through; Sealift does not change it"});
    else if (facts.journal_cluster_name != input.cluster.name)
      findings.push_back({Severity::change, host, "firewall",
                          fmt::format("{} is active and will let through what the cluster needs", firewall),
                          "'firewall: {manage: false}' in cluster.yaml leaves that to you"});
  }
}

}  // namespace sealift::installer
