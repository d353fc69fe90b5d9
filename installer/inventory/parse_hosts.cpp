#include <algorithm>
#include <array>

#include "installer/inventory/parse_parts.hpp"
#include "lib/base/dns.hpp"

namespace sealift::installer {
namespace {

constexpr std::array kRoles{Role::control_plane, Role::worker, Role::load_balancer};
constexpr std::array<std::string_view, 3> kEffects{"NoSchedule", "PreferNoSchedule", "NoExecute"};

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Kubernetes, apimachinery/pkg/util/validation: qualified name without its prefix, or label value.
bool is_label_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && is_alphanumeric(name.front()) &&
         is_alphanumeric(name.back()) && std::all_of(name.begin(), name.end(), [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_label_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return is_label_name(key);
  return is_dns_name(key.substr(0, slash)) && is_label_name(key.substr(slash + 1));
}

/// The key and the value of a label or taint; both become arguments of kubectl.
Status check_label(const Node& node, const std::string& key, const std::string& value) {
  if (!is_label_key(key))
    return node.error(
        "'{}' is not a key for labels: at most 63 letters, digits, '-', '_' and '.', beginning and "
        "ending with a letter or digit, perhaps behind a DNS name and '/'",
        key);
  if (!value.empty() && !is_label_name(value))
    return node.error(
        "'{}' is not a value for labels: at most 63 letters, digits, '-', '_' and '.', beginning "
        "and ending with a letter or digit",
        value);
  return {};
}

Result<Taint> read_taint(const Node& node) {
  TRY(node.only({"key", "value", "effect"}));
  Taint taint;
  TRY_ASSIGN(taint.key, node.string("key"));
  TRY_ASSIGN(taint.value, node.string_or("value", ""));
  TRY(check_label(node, taint.key, taint.value));
  TRY_ASSIGN(taint.effect, node.string_or("effect", "NoSchedule"));
  if (std::find(kEffects.begin(), kEffects.end(), taint.effect) == kEffects.end())
    return node.error("unknown effect '{}': {}", taint.effect,
                      suggestion(taint.effect, kEffects, [](std::string_view text) { return text; }));
  return taint;
}

Result<std::vector<Role>> read_roles(const Node& host) {
  std::vector<Role> roles;
  TRY_ASSIGN(const auto items, host.items("roles"));
  for (const Node& item : items) {
    TRY_ASSIGN(const std::string text, item.string());
    const auto role =
        std::find_if(kRoles.begin(), kRoles.end(), [&](Role r) { return to_string(r) == text; });
    if (role == kRoles.end())
      return item.error("unknown role '{}': {}", text,
                        suggestion(text, kRoles, [](Role r) { return to_string(r); }));
    if (std::find(roles.begin(), roles.end(), *role) == roles.end()) roles.push_back(*role);
  }
  if (roles.empty()) return host.error("a host needs roles: [control-plane], [worker] or [load-balancer]");
  return roles;
}

}  // namespace

Result<std::uint16_t> read_port(const Node& node) {
  TRY_ASSIGN(const std::uint64_t port, node.unsigned_integer());
  if (port == 0 || port > 65535) return node.error("{} is not a port: 1 to 65535", port);
  return static_cast<std::uint16_t>(port);
}

Result<IpAddress> read_host_address(const Node& node) {
  TRY_ASSIGN(const std::string text, node.string());
  TRY_ASSIGN(const IpAddress address, at(node, IpAddress::parse(text)));
  if (address.is_loopback() || address.is_unspecified() || address.is_multicast())
    return node.error(
        "{} cannot be the address of a host: loopback, unspecified and multicast addresses are not", text);
  return address;
}

Result<SshSettings> read_ssh(const Node& node, SshSettings settings) {
  TRY(node.only({"user", "port", "identity", "known_hosts", "config"}));
  TRY_ASSIGN(settings.user, node.string_or("user", settings.user));
  TRY_ASSIGN(settings.identity, node.string_or("identity", settings.identity));
  TRY_ASSIGN(settings.known_hosts, node.string_or("known_hosts", settings.known_hosts));
  TRY_ASSIGN(settings.config, node.string_or("config", settings.config));
  TRY_ASSIGN(const auto port, node.find("port"));
  if (port) {
    TRY_ASSIGN(settings.port, read_port(*port));
  }
  if (!settings.user.empty() && settings.user.front() == '-')
    return node.error("'{}' is not a user name", settings.user);
  return settings;
}

Result<Host> read_host(const Node& node, const SshSettings& ssh) {
  TRY(node.only({"name", "address", "roles", "labels", "taints", "ssh"}));
  Host host;
  host.place = node.place();
  TRY_ASSIGN(const Node name, node.get("name"));
  TRY_ASSIGN(host.name, name.string());
  if (!is_dns_label(host.name))
    return name.error(
        "'{}' is not a host name: lower case letters, digits and '-', at most 63 characters, beginning and "
        "ending with a "
        "letter or digit",
        host.name);
  TRY_ASSIGN(const Node address, node.get("address"));
  TRY_ASSIGN(host.address, read_host_address(address));
  TRY_ASSIGN(host.roles, read_roles(node));
  TRY_ASSIGN(const auto labels, node.members("labels"));
  for (const auto& [key, value] : labels) {
    TRY_ASSIGN(std::string text, value.string());
    TRY(check_label(value, key, text));
    host.labels[key] = std::move(text);
  }
  TRY_ASSIGN(const auto taints, node.find("taints"));
  if (taints) {
    host.taints.emplace();
    TRY_ASSIGN(const auto items, taints->items());
    for (const Node& item : items) {
      TRY_ASSIGN(Taint taint, read_taint(item));
      host.taints->push_back(std::move(taint));
    }
  }
  host.ssh = ssh;
  TRY_ASSIGN(const auto own_ssh, node.find("ssh"));
  if (own_ssh) {
    TRY_ASSIGN(host.ssh, read_ssh(*own_ssh, ssh));
  }
  if (!host.is_node() && (!host.labels.empty() || host.taints))
    return node.error(
        "host '{}' is only a load balancer, not a node: labels and taints have no meaning there", host.name);
  return host;
}

}  // namespace sealift::installer
