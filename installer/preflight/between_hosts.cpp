#include <algorithm>
#include <map>
#include <set>

#include "installer/preflight/addresses.hpp"
#include "installer/preflight/preflight.hpp"

namespace sealift::installer {
namespace {

/// The site's certificates are dated back a day.
constexpr std::chrono::hours kMostBehindDeploy{12};

/// Complains about every value that two hosts share.
void check_distinct(const PreflightInput& input, const std::string& subject, const std::string& what,
                    const std::string& advice, std::vector<std::string> (*values)(const Facts&),
                    std::vector<Finding>& findings) {
  std::map<std::string, std::string> seen;
  for (const Host& host : input.cluster.hosts) {
    const auto found = input.hosts.find(host.name);
    if (found == input.hosts.end()) continue;
    for (const std::string& value : values(found->second.facts)) {
      const auto [first, fresh] = seen.emplace(value, host.name);
      if (!fresh && first->second != host.name)
        findings.push_back(
            {Severity::error, host.name, subject,
             fmt::format("{} {} is also that of '{}'; it must be unique", what, value, first->second),
             advice});
    }
  }
}

void check_clocks(const PreflightInput& input, std::vector<Finding>& findings) {
  using std::chrono::duration;
  const Host* first = nullptr;
  const Host* last = nullptr;
  std::chrono::nanoseconds least{0};
  std::chrono::nanoseconds most{0};
  for (const Host& host : input.cluster.hosts) {
    const auto found = input.hosts.find(host.name);
    if (found == input.hosts.end()) continue;
    const auto offset = found->second.clock_offset;
    if (first == nullptr || offset < least) {
      least = offset;
      first = &host;
    }
    if (last == nullptr || offset > most) {
      most = offset;
      last = &host;
    }
  }
  const double skew = duration<double>(most - least).count();
  if (first == nullptr || skew < 1) return;
  findings.push_back(
      {skew > 5 ? Severity::error : Severity::warning, last->name, "clock",
       fmt::format("the clock is {:.1f} s ahead of that of '{}' (clock skew)", skew, first->name),
       "set the clocks right: certificates made on one host would not be valid yet on another"});
}

/// A clock before the bundle's time makes apt refuse its repository as one from the future, and no time
/// server can mend that before chrony is installed from it. A deploy host hours ahead makes certificates that
/// are not valid yet.
void check_clock_of_each_host(const PreflightInput& input, std::vector<Finding>& findings) {
  for (const auto& [name, report] : input.hosts) {
    const Timestamp clock =
        std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<std::chrono::nanoseconds>(
            std::chrono::nanoseconds(report.facts.clock_unix_ns)));
    if (clock < input.contents.time) {
      findings.push_back({Severity::error, name, "clock",
                          fmt::format("the clock says {}, before the bundle was locked ({})",
                                      format_rfc3339(clock), format_rfc3339(input.contents.time)),
                          "set the clock right: apt would refuse the repository as one from the future"});
    } else if (report.clock_offset < -kMostBehindDeploy) {
      findings.push_back(
          {Severity::error, name, "clock",
           fmt::format("the clock is {:.1f} h behind that of '{}'",
                       std::chrono::duration<double, std::ratio<3600>>(-report.clock_offset).count(),
                       input.deploy),
           "set the clocks right: the mirror's certificate would not be valid yet"});
    }
  }
}

/// Somebody who answers for the floating address, and is not one of our hosts.
void check_floating_address(const PreflightInput& input, std::vector<Finding>& findings) {
  std::set<std::string> own_macs;
  for (const Host& host : input.cluster.hosts)
    if (const auto found = input.hosts.find(host.name); found != input.hosts.end())
      for (const InterfaceFact& entry : found->second.facts.interfaces) own_macs.insert(entry.mac);
  const bool begun = std::any_of(input.hosts.begin(), input.hosts.end(), [&](const auto& entry) {
    return entry.second.facts.journal_cluster_name == input.cluster.name;
  });
  for (const Host& host : input.cluster.hosts) {
    const auto found = input.hosts.find(host.name);
    if (found == input.hosts.end()) continue;
    for (const ClaimFact& claim : found->second.facts.claims) {
      const bool foreign = !claim.answered_by.empty() && !own_macs.contains(claim.answered_by);
      if (!foreign && (begun || (claim.answered_by.empty() && !claim.own))) continue;
      findings.push_back(
          {Severity::error, claim.own ? host.name : "", "endpoint-address",
           claim.own ? fmt::format("the endpoint's address {} is on this host already", claim.address)
                     : fmt::format(
                           "the endpoint's address {} is already in use: {} answers for it (asked from '{}')",
                           claim.address, claim.answered_by, host.name),
           "choose an address that nobody uses"});
      return;
    }
  }
}

/// Where no balancer could ask (no socket for it, an address that is not ready yet), nobody knows.
void check_was_asked(const PreflightInput& input, std::vector<Finding>& findings) {
  bool wanted = false;
  for (const auto& [name, report] : input.hosts)
    for (const ClaimFact& claim : report.facts.claims) {
      if (claim.probed || claim.own) return;
      wanted = true;
    }
  if (!wanted) return;
  findings.push_back({Severity::warning, "", "endpoint-address",
                      fmt::format("no host could ask whether somebody has the endpoint's address {}",
                                  input.cluster.endpoint.address.str()),
                      "make sure that nothing answers there (ping)"});
}

/// The plugin `bridge` has routes from node to node, which only neighbours can be.
void check_bridge(const PreflightInput& input, std::vector<Finding>& findings) {
  if (!input.cluster.network.is_bridge()) return;
  for (const Host* host : input.cluster.nodes()) {
    const auto found = input.hosts.find(host->name);
    if (found == input.hosts.end() || !find_address(found->second.facts, host->address)) continue;
    for (const Host* other : input.cluster.nodes()) {
      if (find_subnet(found->second.facts, other->address)) continue;
      findings.push_back(
          {Severity::error, host->name, "network-plugin",
           fmt::format("'{}' ({}) is in none of this host's networks; the plugin 'bridge' needs nodes in one",
                       other->name, other->address.str()),
           "carry a network manifest in the bundle and name it in network.plugin"});
      break;
    }
  }
}

/// Another VRRP speaker with our router id in the same network. Without a given id a free one is chosen.
void check_router_id(const PreflightInput& input, std::vector<Finding>& findings) {
  if (!input.cluster.endpoint.virtual_router_id) return;
  std::set<std::string> own;
  for (const Host& host : input.cluster.hosts) own.insert(host.address.str());
  for (const auto& [name, report] : input.hosts)
    for (const VrrpFact& vrrp : report.facts.vrrp)
      if (vrrp.router_id == *input.cluster.endpoint.virtual_router_id && !own.contains(vrrp.source)) {
        findings.push_back(
            {Severity::error, name, "virtual-router-id",
             fmt::format("VRRP router id {} is used by {} in this network", vrrp.router_id, vrrp.source),
             "choose another endpoint.virtual_router_id, or leave it out to have a free one chosen"});
        return;
      }
}

}  // namespace

void check_between_hosts(const PreflightInput& input, std::vector<Finding>& findings) {
  check_distinct(
      input, "hostname", "its host name", "rename one of them (hostnamectl set-hostname)",
      [](const Facts& facts) { return std::vector<std::string>{facts.hostname}; }, findings);
  const std::string clone = "the machines were cloned; ";
  check_distinct(
      input, "product_uuid", "its product_uuid", clone + "give each virtual machine its own",
      [](const Facts& facts) {
        return facts.product_uuid.empty() ? std::vector<std::string>{}
                                          : std::vector<std::string>{facts.product_uuid};
      },
      findings);
  check_distinct(
      input, "machine-id", "its machine-id",
      clone + "remove /etc/machine-id, run systemd-machine-id-setup and reboot",
      [](const Facts& facts) {
        return facts.machine_id.empty() ? std::vector<std::string>{}
                                        : std::vector<std::string>{facts.machine_id};
      },
      findings);
  check_distinct(
      input, "mac", "the MAC address", clone + "give each its own network card address",
      [](const Facts& facts) {
        std::vector<std::string> macs;
        for (const InterfaceFact& entry : facts.interfaces)
          if (entry.physical && !entry.mac.empty() && entry.mac != "00:00:00:00:00:00")
            macs.push_back(entry.mac);
        return macs;
      },
      findings);
  check_clocks(input, findings);
  check_clock_of_each_host(input, findings);
  check_floating_address(input, findings);
  check_was_asked(input, findings);
  check_router_id(input, findings);
  check_bridge(input, findings);
}

}  // namespace sealift::installer
