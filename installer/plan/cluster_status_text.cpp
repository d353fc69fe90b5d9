#include <algorithm>

#include "installer/plan/cluster_status.hpp"

namespace sealift::installer {
namespace {

constexpr std::chrono::days kExpiresSoon{30};

void find_host_problems(const Host& host, const HostStatus& status, Timestamp now,
                        std::vector<std::string>& problems) {
  if (!status.error.empty()) {
    problems.push_back(fmt::format("{}: {}", host.name, status.error));
    return;
  }
  if (host.is_node() && status.node != "Ready")
    problems.push_back(fmt::format("{}: the node is {}", host.name, status.node));
  if (status.api_ready && !*status.api_ready)
    problems.push_back(fmt::format("{}: its API server is not ready", host.name));
  if (host.is_node() && !status.mirror_reachable)
    problems.push_back(fmt::format("{}: the mirror cannot be reached from here", host.name));
  if (status.clock_synchronised && !*status.clock_synchronised)
    problems.push_back(fmt::format("{}: its clock follows no time server (chronyc -n sources)", host.name));
  if (status.first_expiry && *status.first_expiry < now + kExpiresSoon)
    problems.push_back(fmt::format("{}: the certificate {} ends {}", host.name, status.first_expiry_name,
                                   format_rfc3339(*status.first_expiry)));
}

}  // namespace

std::vector<std::string> find_problems(const Cluster& cluster, const ClusterStatus& status, Timestamp now) {
  std::vector<std::string> problems;
  std::vector<std::string> holders;
  for (const HostStatus& host : status.hosts) {
    if (const Host* found = cluster.find(host.name); found != nullptr)
      find_host_problems(*found, host, now, problems);
    if (host.holds_address) holders.push_back(host.name);
  }
  if (status.floating && holders.size() != 1)
    problems.push_back(holders.empty() ? "no host holds the API address " + cluster.endpoint.address.str()
                                       : fmt::format("the API address is on {} hosts at once: {}",
                                                     holders.size(), fmt::join(holders, ", ")));
  for (const Host* host : cluster.with(Role::control_plane)) {
    const auto member = status.etcd.find(host->name);
    if (member == status.etcd.end() || !member->second)
      problems.push_back(fmt::format("{}: its etcd member is not healthy", host->name));
  }
  return problems;
}

std::string status_text(const ClusterStatus& status) {
  std::string text =
      fmt::format("cluster {}   API {}\n\n{:<20} {:<9} {:<10} {:<7} {:<5} {:<8} {}\n", status.name,
                  status.endpoint, "HOST", "NODE", "VERSION", "API", "ETCD", "ADDRESS", "CERTIFICATES UNTIL");
  for (const HostStatus& host : status.hosts) {
    const auto member = status.etcd.find(host.name);
    text += fmt::format("{:<20} {:<9} {:<10} {:<7} {:<5} {:<8} {}\n", host.name,
                        host.error.empty() ? (host.node.empty() ? "-" : host.node) : "no answer",
                        host.version.empty() ? "-" : host.version,
                        !host.api_ready   ? "-"
                        : *host.api_ready ? "ready"
                                          : "down",
                        member == status.etcd.end() ? "-"
                        : member->second            ? "ok"
                                                    : "down",
                        host.holds_address ? "here" : "-",
                        host.first_expiry ? format_rfc3339(*host.first_expiry).substr(0, 10) : "-");
  }
  text += status.problems.empty() ? "\neverything is as it should be\n" : "\n";
  for (const std::string& problem : status.problems) text += "problem: " + problem + "\n";
  return text;
}

json::Value to_json(const ClusterStatus& status) {
  json::Array hosts;
  for (const HostStatus& host : status.hosts) {
    json::Object entry{{"name", host.name},
                       {"error", host.error},
                       {"node", host.node},
                       {"version", host.version},
                       {"holdsAddress", host.holds_address},
                       {"mirrorReachable", host.mirror_reachable}};
    if (host.api_ready) entry["apiReady"] = *host.api_ready;
    if (host.clock_synchronised) entry["clockSynchronised"] = *host.clock_synchronised;
    if (host.first_expiry) {
      entry["certificateExpiry"] = format_rfc3339(*host.first_expiry);
      entry["certificate"] = host.first_expiry_name;
    }
    hosts.push_back(std::move(entry));
  }
  json::Object etcd;
  for (const auto& [member, healthy] : status.etcd) etcd[member] = healthy;
  json::Array problems;
  for (const std::string& problem : status.problems) problems.emplace_back(problem);
  return json::Object{{"version", 1},
                      {"cluster", status.name},
                      {"endpoint", status.endpoint},
                      {"healthy", status.healthy()},
                      {"hosts", std::move(hosts)},
                      {"etcd", std::move(etcd)},
                      {"problems", std::move(problems)}};
}

}  // namespace sealift::installer
