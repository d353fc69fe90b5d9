#include "installer/render/system.hpp"

#include "installer/render/template.hpp"

namespace sealift::installer {
namespace {

bool uses_ipvs(const Cluster& cluster) {
  const auto* proxy = cluster.kubeadm.if_contains("KubeProxyConfiguration");
  const auto* object = proxy == nullptr ? nullptr : proxy->if_object();
  const auto* mode = object == nullptr ? nullptr : object->if_contains("mode");
  return mode != nullptr && *mode == json::Value("ipvs");
}

}  // namespace

std::string render_hosts_block(const Cluster& cluster) {
  std::string text;
  for (const Host& host : cluster.hosts) text += fmt::format("{} {}\n", host.address.str(), host.name);
  if (!cluster.endpoint.name.empty())
    text += fmt::format("{} {}\n", cluster.endpoint.address.str(), cluster.endpoint.name);
  return text;
}

std::vector<std::string> node_modules(const Cluster& cluster) {
  std::vector<std::string> modules{"overlay", "br_netfilter"};
  if (uses_ipvs(cluster))
    modules.insert(modules.end(), {"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack"});
  return modules;
}

std::map<std::string, std::string> node_sysctls(const Cluster& cluster) {
  std::map<std::string, std::string> values{{"net.bridge.bridge-nf-call-iptables", "1"},
                                            {"net.bridge.bridge-nf-call-ip6tables", "1"},
                                            {"net.ipv4.ip_forward", "1"},
                                            {"fs.inotify.max_user_instances", "8192"},
                                            {"fs.inotify.max_user_watches", "1048576"}};
  if (cluster.network.pods.base().is_v6()) values["net.ipv6.conf.all.forwarding"] = "1";
  return values;
}

TimeRole time_role(const Cluster& cluster, const Host& host) {
  TimeRole role;
  role.sources = cluster.time_servers;
  if (!role.sources.empty()) return role;
  role.own_servers = true;
  auto servers = cluster.with(Role::control_plane);
  if (servers.size() > 2) servers.resize(2);
  bool serves = false;
  for (const Host* server : servers) {
    if (server->name == host.name)
      serves = true;
    else
      role.sources.push_back(server->address.str());
  }
  if (serves)
    for (const Host& client : cluster.hosts)
      if (client.name != host.name) role.clients.push_back(client.address.str());
  return role;
}

Result<std::string> render_chrony(const std::string& cluster, const TimeRole& role) {
  json::Array sources;
  for (const std::string& source : role.sources) sources.emplace_back(source);
  json::Array clients;
  for (const std::string& client : role.clients) clients.emplace_back(client);
  return fill_template("chrony.conf", {{"cluster", cluster},
                                       {"sources", sources},
                                       {"own_servers", role.own_servers},
                                       {"serves", !clients.empty()},
                                       {"clients", clients}});
}

Result<std::string> render_mirror_unit(const std::string& command, const std::string& bundles_state) {
  return fill_template("sealift-mirror.service", {{"command", command}, {"state", bundles_state}});
}

std::string systemd_quote(const std::string& argument) {
  std::string quoted;
  bool needs_quotes = argument.empty();
  for (const char c : argument) {
    if (c == '%' || c == '$') quoted += c;
    if (c == '"' || c == '\\') quoted += '\\';
    needs_quotes = needs_quotes || c == ' ' || c == '\'' || c == '"' || c == ';' || c == '\\';
    quoted += c;
  }
  return needs_quotes ? '"' + quoted + '"' : quoted;
}

}  // namespace sealift::installer
