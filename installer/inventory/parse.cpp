#include <algorithm>
#include <array>

#include "installer/inventory/arguments.hpp"
#include "installer/inventory/cluster.hpp"
#include "installer/inventory/parse_parts.hpp"
#include "installer/inventory/validate.hpp"
#include "lib/base/dns.hpp"

namespace sealift::installer {
namespace {

constexpr std::string_view kDefaultPods = "10.244.0.0/16";
constexpr std::string_view kDefaultServices = "10.96.0.0/12";
constexpr std::array kModes{EndpointMode::keepalived_nginx, EndpointMode::keepalived_haproxy,
                            EndpointMode::keepalived,       EndpointMode::kube_vip,
                            EndpointMode::local_nginx,      EndpointMode::local_haproxy,
                            EndpointMode::external};

Result<EndpointMode> read_mode(const Node& endpoint) {
  TRY_ASSIGN(const auto node, endpoint.find("mode"));
  if (!node) return EndpointMode::keepalived_nginx;
  TRY_ASSIGN(const std::string text, node->string());
  const auto mode =
      std::find_if(kModes.begin(), kModes.end(), [&](EndpointMode m) { return to_string(m) == text; });
  if (mode == kModes.end())
    return node->error("unknown mode '{}': {}", text,
                       suggestion(text, kModes, [](EndpointMode m) { return to_string(m); }));
  if (*mode != EndpointMode::keepalived_nginx && *mode != EndpointMode::external)
    return fail(ErrorCode::unsupported,
                "{}: endpoint mode '{}' is not yet supported in this version; use keepalived-nginx, or "
                "external with a "
                "balancer of your own",
                node->place(), text);
  return *mode;
}

Result<Endpoint> read_endpoint(const Node& node, ClusterPlaces& places) {
  TRY(node.only({"mode", "address", "port", "name", "interface", "virtual_router_id"}));
  Endpoint endpoint;
  TRY_ASSIGN(endpoint.mode, read_mode(node));
  TRY_ASSIGN(const Node address, node.get("address"));
  places.endpoint = address.place();
  places.port = node.place();
  TRY_ASSIGN(endpoint.address, read_host_address(address));
  TRY_ASSIGN(const auto port, node.find("port"));
  if (port) {
    places.port = port->place();
    TRY_ASSIGN(endpoint.port, read_port(*port));
  }
  TRY_ASSIGN(const auto name, node.find("name"));
  if (name) {
    TRY_ASSIGN(endpoint.name, name->string());
    if (!is_dns_name(endpoint.name)) return name->error("'{}' is not a DNS name", endpoint.name);
  }
  TRY_ASSIGN(endpoint.interface, node.string_or("interface", ""));
  if (endpoint.interface.size() > 15 || endpoint.interface.find_first_of(" /\t\n{}\"#!") != std::string::npos)
    return node.error("'{}' is not the name of a network interface", endpoint.interface);
  TRY_ASSIGN(const auto router, node.find("virtual_router_id"));
  if (router) {
    TRY_ASSIGN(const std::uint64_t id, router->unsigned_integer());
    if (id == 0 || id > 255) return router->error("{} is not a VRRP router id: 1 to 255", id);
    endpoint.virtual_router_id = static_cast<unsigned>(id);
  }
  return endpoint;
}

Result<Network> read_network_range(const Node& network, std::string_view key, std::string_view fallback,
                                   std::string& place) {
  TRY_ASSIGN(const auto node, network.find(key));
  place = node ? node->place() : network.place();
  if (!node) return Network::parse(fallback);
  TRY_ASSIGN(const std::string text, node->string());
  return at(*node, Network::parse(text));
}

Result<ClusterNetwork> read_network(const Node& node, ClusterPlaces& places) {
  TRY(node.only({"plugin", "pods", "services", "dns_domain"}));
  ClusterNetwork network;
  TRY_ASSIGN(network.plugin, node.string_or("plugin", "bridge"));
  if (!is_dns_label(network.plugin))
    return node.error("'{}' is not a network plugin: 'bridge', or the name of a manifest in the bundle",
                      network.plugin);
  TRY_ASSIGN(network.pods, read_network_range(node, "pods", kDefaultPods, places.pods));
  TRY_ASSIGN(network.services, read_network_range(node, "services", kDefaultServices, places.services));
  TRY_ASSIGN(network.dns_domain, node.string_or("dns_domain", "cluster.local"));
  if (!is_dns_name(network.dns_domain)) return node.error("'{}' is not a DNS domain", network.dns_domain);
  return network;
}

/// A document that kubeadm reads, and what Sealift alone decides in it.
Status check_override(const std::string& kind, const Node& document) {
  static const std::map<std::string, std::vector<std::vector<std::string_view>>> kOwned = {
      {"ClusterConfiguration",
       {{"kubernetesVersion"}, {"controlPlaneEndpoint"}, {"certificatesDir"}, {"etcd", "external"}}},
      {"InitConfiguration",
       {{"certificateKey"},
        {"bootstrapTokens"},
        {"localAPIEndpoint"},
        {"nodeRegistration", "name"},
        {"nodeRegistration", "criSocket"}}},
      {"JoinConfiguration",
       {{"discovery"}, {"controlPlane"}, {"nodeRegistration", "name"}, {"nodeRegistration", "criSocket"}}},
      {"KubeletConfiguration", {{"cgroupDriver"}}},
      {"KubeProxyConfiguration", {}}};
  const auto owned = kOwned.find(kind);
  if (owned == kOwned.end())
    return document.error("kubeadm: unknown document '{}': {}", kind,
                          suggestion(kind, kOwned, [](const auto& entry) { return entry.first; }));
  std::vector<std::vector<std::string_view>> paths = owned->second;
  paths.insert(paths.end(), {{"apiVersion"}, {"kind"}});
  for (const auto& path : paths) {
    std::optional<Node> found = document;
    for (const std::string_view key : path)
      if (found) {
        TRY_ASSIGN(found, found->find(key));
      }
    if (found)
      return found->error("kubeadm.{}.{} cannot be set here: Sealift decides it", kind, fmt::join(path, "."));
  }
  return {};
}

Status read_kubernetes(const Node& node, Cluster& cluster) {
  TRY(node.only({"certificate_sans", "features"}));
  TRY_ASSIGN(cluster.certificate_sans, node.strings("certificate_sans"));
  for (const std::string& name : cluster.certificate_sans)
    if (!IpAddress::parse(name) && !is_dns_name(name.starts_with("*.") ? name.substr(2) : name))
      return node.error("certificate_sans: '{}' is neither an IP address nor a DNS name", name);
  TRY_ASSIGN(const auto features, node.find("features"));
  if (!features) return {};
  TRY_ASSIGN(const auto members, features->members());
  for (const auto& [name, value] : members) {
    TRY_ASSIGN(cluster.feature_gates[name], features->boolean_or(name, false));
  }
  return {};
}

Status read_manifests(const Node& root, Cluster& cluster) {
  TRY_ASSIGN(const auto node, root.find("manifests"));
  if (!node) return {};
  TRY_ASSIGN(const auto items, node->items());
  for (const Node& item : items) {
    TRY_ASSIGN(std::string name, item.string());
    if (!is_dns_label(name)) return item.error("'{}' is not the name of a manifest in the bundle", name);
    if (name == cluster.network.plugin) return item.error("'{}' is network.plugin and applied as such", name);
    if (std::find(cluster.manifests.begin(), cluster.manifests.end(), name) != cluster.manifests.end())
      return item.error("'{}' is named twice", name);
    cluster.manifests.push_back(std::move(name));
  }
  return {};
}

Status read_small_sections(const Node& root, Cluster& cluster) {
  TRY(read_manifests(root, cluster));
  TRY_ASSIGN(const auto dns, root.find("dns"));
  if (dns) {
    TRY(dns->only({"enabled"}));
    TRY_ASSIGN(cluster.dns, dns->boolean_or("enabled", true));
  }
  TRY_ASSIGN(const auto firewall, root.find("firewall"));
  if (firewall) {
    TRY(firewall->only({"manage"}));
    TRY_ASSIGN(cluster.firewall, firewall->boolean_or("manage", true));
  }
  TRY_ASSIGN(const auto time, root.find("time"));
  if (time) {
    TRY(time->only({"servers"}));
    TRY_ASSIGN(cluster.time_servers, time->strings("servers"));
    for (const std::string& server : cluster.time_servers)
      if (!IpAddress::parse(server) && !is_dns_name(server))
        return time->error("'{}' is neither the address nor the name of a time server", server);
    if (cluster.time_servers.size() == 1)
      cluster.warnings.emplace_back(
          "one time server: when it is gone the clocks drift apart; give two or more");
  }
  TRY_ASSIGN(const auto mirror, root.find("mirror"));
  if (mirror) {
    TRY(mirror->only({"address", "placement"}));
    TRY_ASSIGN(const std::string placement, mirror->string_or("placement", "deploy"));
    if (placement != "deploy")
      return mirror->error(
          "placement '{}' is not known: this version serves the mirror from the deploy host ('deploy')",
          placement);
    TRY_ASSIGN(const auto address, mirror->find("address"));
    if (address) {
      TRY_ASSIGN(cluster.mirror_address, read_host_address(*address));
    }
  }
  TRY_ASSIGN(const auto kubernetes, root.find("kubernetes"));
  if (kubernetes) TRY(read_kubernetes(*kubernetes, cluster));
  TRY_ASSIGN(const auto documents, root.members("kubeadm"));
  for (const auto& [kind, document] : documents) {
    TRY(check_override(kind, document));
    TRY_ASSIGN(json::Value value, document.to_json());
    if (value.is_null()) continue;
    TRY(at(document, arguments_as_lists(value, "kubeadm." + kind)));
    cluster.kubeadm[kind] = std::move(value);
  }
  return {};
}

Status read_header(const Node& root, Cluster& cluster) {
  TRY(root.only({"apiVersion", "kind", "metadata", "endpoint", "hosts", "ssh", "network", "manifests", "dns",
                 "firewall", "time", "mirror", "kubernetes", "kubeadm"}));
  TRY_ASSIGN(const Node version, root.get("apiVersion"));
  TRY_ASSIGN(const std::string version_text, version.string());
  if (version_text != "sealift/v1")
    return version.error("apiVersion is '{}'; this program reads 'sealift/v1'", version_text);
  TRY_ASSIGN(const Node kind, root.get("kind"));
  TRY_ASSIGN(const std::string kind_text, kind.string());
  if (kind_text != "Cluster")
    return kind.error("kind is '{}'; here a 'Cluster' is expected{}", kind_text,
                      kind_text == "Bundle" ? " (a Bundle goes to 'sealift lock')" : "");
  TRY_ASSIGN(const Node metadata, root.get("metadata"));
  TRY(metadata.only({"name"}));
  TRY_ASSIGN(const Node name, metadata.get("name"));
  TRY_ASSIGN(cluster.name, name.string());
  if (!is_dns_label(cluster.name))
    return name.error("'{}' is not a cluster name: lower case letters, digits and '-', at most 63 characters",
                      cluster.name);
  return {};
}

}  // namespace

Result<Cluster> parse_cluster(std::string_view text, const std::string& file) {
  TRY_ASSIGN(const Node root, Node::parse(text, file));
  Cluster cluster;
  ClusterPlaces places;
  TRY(read_header(root, cluster));
  TRY_ASSIGN(const Node endpoint, root.get("endpoint"));
  TRY_ASSIGN(cluster.endpoint, read_endpoint(endpoint, places));
  SshSettings ssh;
  TRY_ASSIGN(const auto ssh_node, root.find("ssh"));
  if (ssh_node) {
    TRY_ASSIGN(ssh, read_ssh(*ssh_node, ssh));
  }
  TRY_ASSIGN(const Node hosts, root.get("hosts"));
  places.hosts = hosts.place();
  TRY_ASSIGN(const auto items, hosts.items());
  if (items.size() > 1000) return hosts.error("{} hosts: at most 1000 are supported", items.size());
  for (const Node& item : items) {
    TRY_ASSIGN(Host host, read_host(item, ssh));
    cluster.hosts.push_back(std::move(host));
  }
  TRY_ASSIGN(const auto network, root.find("network"));
  places.pods = places.services = root.place();
  if (network) {
    TRY_ASSIGN(cluster.network, read_network(*network, places));
  } else {
    TRY_ASSIGN(cluster.network.pods, Network::parse(kDefaultPods));
    TRY_ASSIGN(cluster.network.services, Network::parse(kDefaultServices));
  }
  TRY(read_small_sections(root, cluster));
  TRY(validate(cluster, places));
  return cluster;
}

}  // namespace sealift::installer
