#include "installer/render/firewall.hpp"

#include <algorithm>
#include <charconv>

#include "installer/render/template.hpp"

namespace sealift::installer {
namespace {

constexpr std::string_view kDefaultNodePorts = "30000-32767";

/// "30000-32767" from the API server's --service-node-port-range, "30000-32767" or "30000+2767".
std::string port_range(const std::string& text) {
  unsigned first = 0;
  unsigned second = 0;
  const char* end = text.data() + text.size();
  const auto [sign, error] = std::from_chars(text.data(), end, first);
  if (error != std::errc() || sign == end || (*sign != '-' && *sign != '+'))
    return std::string(kDefaultNodePorts);
  const auto [rest, second_error] = std::from_chars(sign + 1, end, second);
  if (second_error != std::errc() || rest != end) return std::string(kDefaultNodePorts);
  return fmt::format("{}-{}", first, *sign == '+' ? first + second : second);
}

std::string node_ports(const Cluster& cluster) {
  const json::Value* value = cluster.kubeadm.if_contains("ClusterConfiguration");
  for (const char* key : {"apiServer", "extraArgs"}) {
    const auto* object = value == nullptr ? nullptr : value->if_object();
    value = object == nullptr ? nullptr : object->if_contains(key);
  }
  const auto* arguments = value == nullptr ? nullptr : value->if_array();
  if (arguments != nullptr)
    for (const json::Value& argument : *arguments)
      if (argument.at("name") == json::Value("service-node-port-range"))
        if (const auto* text = argument.at("value").if_string()) return port_range(std::string(*text));
  return std::string(kDefaultNodePorts);
}

json::Array to_json(const FirewallRules& rules, const std::vector<Opening>& openings, char range_sign) {
  json::Array result;
  for (const Opening& opening : openings) {
    std::string ports = opening.ports;
    std::replace(ports.begin(), ports.end(), '-', range_sign);
    result.push_back(json::Object{{"family", rules.v6 ? "ipv6" : "ipv4"},
                                  {"from", opening.from},
                                  {"to", opening.to},
                                  {"protocol", opening.protocol},
                                  {"ports", ports}});
  }
  return result;
}

Result<std::string> render_policy(const FirewallRules& rules, const char* egress,
                                  const std::vector<Opening>& openings) {
  return fill_template("firewalld-policy.xml",
                       {{"name", rules.name}, {"egress", egress}, {"rules", to_json(rules, openings, '-')}});
}

Result<std::string> render_ufw(const FirewallRules& rules, bool jumps) {
  return fill_template("ufw-after.rules", {{"name", rules.name},
                                           {"ufw", rules.v6 ? "ufw6" : "ufw"},
                                           {"jumps", jumps},
                                           {"input", to_json(rules, rules.input, ':')},
                                           {"forward", to_json(rules, rules.forward, ':')},
                                           {"pods", rules.pods}});
}

}  // namespace

FirewallRules host_firewall(const Cluster& cluster, const Host& host) {
  FirewallRules rules{.name = "sealift", .v6 = cluster.endpoint.address.is_v6()};
  for (const Host& other : cluster.hosts)
    if (other.name != host.name) rules.input.push_back({.from = other.address.str()});
  if (cluster.balances(host))
    rules.input.push_back({.protocol = "tcp", .ports = std::to_string(cluster.endpoint.port)});
  // Where a balancer of the site's own comes from, nobody has told us.
  if (cluster.endpoint.mode == EndpointMode::external && host.has(Role::control_plane))
    rules.input.push_back({.protocol = "tcp", .ports = "6443"});
  if (!host.is_node()) return rules;
  rules.pods = cluster.network.pods.str();
  rules.input.push_back({.from = rules.pods});
  for (const char* protocol : {"tcp", "udp"})
    rules.input.push_back({.protocol = protocol, .ports = node_ports(cluster)});
  rules.forward.push_back({.from = rules.pods});
  for (const Host& other : cluster.hosts)
    if (other.name != host.name) rules.forward.push_back({.from = other.address.str(), .to = rules.pods});
  return rules;
}

FirewallRules mirror_firewall(const Cluster& cluster) {
  FirewallRules rules{.name = "sealift-mirror", .v6 = cluster.endpoint.address.is_v6()};
  for (const Host& host : cluster.hosts)
    for (const char* port : {"5000", "12480"})
      rules.input.push_back({.from = host.address.str(), .protocol = "tcp", .ports = port});
  return rules;
}

Result<std::string> render_firewalld_input(const FirewallRules& rules) {
  return render_policy(rules, "HOST", rules.input);
}

Result<std::string> render_firewalld_forward(const FirewallRules& rules) {
  return render_policy(rules, "ANY", rules.forward);
}

Result<std::string> render_ufw_rules(const FirewallRules& rules) { return render_ufw(rules, true); }

Result<std::string> render_ufw_chains(const FirewallRules& rules) { return render_ufw(rules, false); }

}  // namespace sealift::installer
