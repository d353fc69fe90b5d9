#include "installer/render/kubeadm.hpp"

#include <algorithm>

#include "installer/render/yaml_text.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::installer {
namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr std::string_view kSocket = "unix:///run/containerd/containerd.sock";

std::string random_text(std::size_t length) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < length)
    for (const char byte : random_bytes(length)) {
      const auto value = static_cast<unsigned char>(byte);
      // Only whole multiples of the alphabet, so that every character is equally likely.
      if (value < 252 && text.size() < length) text += kAlphabet[value % kAlphabet.size()];
    }
  return text;
}

/// v1beta4 has extraArgs as a list of name and value, the older ones as a map; people may write either.
void convert_extra_args(Value& value, KubeadmApi api) {
  if (auto* array = value.if_array())
    for (Value& item : *array) convert_extra_args(item, api);
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) {
    if (key != "extraArgs" && key != "kubeletExtraArgs") {
      convert_extra_args(member, api);
      continue;
    }
    if (api == KubeadmApi::v1beta4 && member.is_object()) {
      Array list;
      for (const auto& [name, text] : member.get_object())
        list.push_back(Object{{"name", name}, {"value", text}});
      member = std::move(list);
    }
  }
}

/// A list of {name, value} as a map, so that it can be merged with ours; lists that repeat a name stay lists.
void maps_from_lists(Value& value) {
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) {
    const auto* list = member.if_array();
    if ((key != "extraArgs" && key != "kubeletExtraArgs") || list == nullptr) {
      maps_from_lists(member);
      continue;
    }
    Object map;
    bool convertible = true;
    for (const Value& item : *list) {
      const auto* entry = item.if_object();
      const auto* name = entry == nullptr ? nullptr : entry->if_contains("name");
      const auto* text = entry == nullptr ? nullptr : entry->if_contains("value");
      if (name == nullptr || text == nullptr || !name->is_string() || map.contains(name->get_string())) {
        convertible = false;
        break;
      }
      map[name->get_string()] = *text;
    }
    if (convertible) member = std::move(map);
  }
}

Value finished(const Cluster& cluster, std::string_view kind, Object base, KubeadmApi api) {
  Value document(std::move(base));
  if (const auto* overlay = cluster.kubeadm.if_contains(kind)) {
    Value changes = *overlay;
    maps_from_lists(changes);
    document = merge(std::move(document), changes);
  }
  convert_extra_args(document, api);
  return document;
}

Object node_registration(const Host& host) {
  Object registration{{"name", host.name},
                      {"criSocket", kSocket},
                      {"kubeletExtraArgs", Object{{"node-ip", host.address.str()}}}};
  if (host.taints) {
    Array taints;
    for (const Taint& taint : *host.taints) {
      Object entry{{"key", taint.key}, {"effect", taint.effect}};
      if (!taint.value.empty()) entry["value"] = taint.value;
      taints.push_back(std::move(entry));
    }
    registration["taints"] = std::move(taints);
  } else if (host.has(Role::control_plane) && host.has(Role::worker)) {
    registration["taints"] = Array{};
  }
  return registration;
}

std::string gates(const Cluster& cluster) {
  std::string text;
  for (const auto& [name, on] : cluster.feature_gates)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, on);
  return text;
}

Object gate_map(const Cluster& cluster) {
  Object map;
  for (const auto& [name, on] : cluster.feature_gates) map[name] = on;
  return map;
}

Value cluster_configuration(const Cluster& cluster, const ReleaseVersion& kubernetes, KubeadmApi api) {
  Array sans;
  for (const std::string& san : certificate_sans(cluster)) sans.emplace_back(san);
  Object server{{"certSANs", std::move(sans)}};
  Object base{{"apiVersion", to_string(api)},
              {"kind", "ClusterConfiguration"},
              {"clusterName", cluster.name},
              {"kubernetesVersion", "v" + kubernetes.str()},
              {"controlPlaneEndpoint", cluster.endpoint.host_and_port()},
              {"networking", Object{{"dnsDomain", cluster.network.dns_domain},
                                    {"podSubnet", cluster.network.pods.str()},
                                    {"serviceSubnet", cluster.network.services.str()}}}};
  if (!cluster.feature_gates.empty()) {
    const Object arguments{{"feature-gates", gates(cluster)}};
    server["extraArgs"] = arguments;
    base["controllerManager"] = Object{{"extraArgs", arguments}};
    base["scheduler"] = Object{{"extraArgs", arguments}};
  }
  base["apiServer"] = std::move(server);
  return finished(cluster, "ClusterConfiguration", std::move(base), api);
}

Value kubelet_configuration(const Cluster& cluster, const ReleaseVersion& kubernetes, KubeadmApi api) {
  Object base{
      {"apiVersion", "kubelet.config.k8s.io/v1beta1"},
      {"kind", "KubeletConfiguration"},
      {"cgroupDriver", "systemd"},
      {"rotateCertificates", true},
      // Images can always be had again from the mirror, but a node that lost the mirror needs what it has.
      {"imageGCHighThresholdPercent", 90},
      {"imageGCLowThresholdPercent", 85}};
  if (kubernetes < kModernKubelet) {
    // The defaults of later kubelets. A kubelet asks for a mirror pod before it starts the pod. For the
    // second etcd member that request can only time out after 7 s, as etcd has no majority until the pod
    // runs; held back by a second or two on top, it makes controller managers give up leading (10 s).
    base["kubeAPIQPS"] = 50;
    base["kubeAPIBurst"] = 100;
  }
  if (!cluster.feature_gates.empty()) base["featureGates"] = gate_map(cluster);
  return finished(cluster, "KubeletConfiguration", std::move(base), api);
}

Value proxy_configuration(const Cluster& cluster, KubeadmApi api) {
  Object base{{"apiVersion", "kubeproxy.config.k8s.io/v1alpha1"},
              {"kind", "KubeProxyConfiguration"},
              {"clusterCIDR", cluster.network.pods.str()}};
  if (!cluster.feature_gates.empty()) base["featureGates"] = gate_map(cluster);
  return finished(cluster, "KubeProxyConfiguration", std::move(base), api);
}

Object local_endpoint(const Host& host) {
  // The node's own address, never the floating one: etcd's members and the API's endpoints are made of it.
  return {{"advertiseAddress", host.address.str()}, {"bindPort", 6443}};
}

}  // namespace

JoinSecrets make_join_secrets() {
  return {random_text(6) + "." + random_text(16), to_hex(as_bytes(random_bytes(32)))};
}

std::vector<std::string> certificate_sans(const Cluster& cluster) {
  std::vector<std::string> sans{cluster.endpoint.address.str()};
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(sans.begin(), sans.end(), name) == sans.end()) sans.push_back(name);
  };
  add(cluster.endpoint.name);
  for (const Host* host : cluster.with(Role::control_plane)) {
    add(host->name);
    add(host->address.str());
  }
  for (const char* own : {"localhost", "127.0.0.1", "::1"}) add(own);
  for (const std::string& san : cluster.certificate_sans) add(san);
  return sans;
}

Value merge(Value base, const Value& overlay) {
  if (!base.is_object() || !overlay.is_object()) return overlay;
  Object& object = base.get_object();
  for (const auto& [key, member] : overlay.get_object()) {
    if (member.is_null())
      object.erase(key);
    else if (auto* present = object.if_contains(key))
      *present = merge(std::move(*present), member);
    else
      object[key] = member;
  }
  return base;
}

Result<std::string> render_kubeadm_init(const Cluster& cluster, const Host& host,
                                        const ReleaseVersion& kubernetes, const JoinSecrets& secrets) {
  TRY_ASSIGN(const KubeadmApi api, kubeadm_api(kubernetes));
  Object init{{"apiVersion", to_string(api)},
              {"kind", "InitConfiguration"},
              {"bootstrapTokens",
               Array{Object{{"token", secrets.token},
                            {"description", kTokenDescription},
                            {"ttl", fmt::format("{}h0m0s", kTokenHours)},
                            {"usages", Array{"signing", "authentication"}},
                            {"groups", Array{"system:bootstrappers:kubeadm:default-node-token"}}}}},
              {"certificateKey", secrets.certificate_key},
              {"localAPIEndpoint", local_endpoint(host)},
              {"nodeRegistration", node_registration(host)}};
  return to_yaml_stream({finished(cluster, "InitConfiguration", std::move(init), api),
                         cluster_configuration(cluster, kubernetes, api),
                         kubelet_configuration(cluster, kubernetes, api), proxy_configuration(cluster, api)});
}

Result<std::string> render_kubeadm_join(const Cluster& cluster, const Host& host,
                                        const ReleaseVersion& kubernetes, const JoinSecrets& secrets,
                                        const std::string& discovery_file) {
  TRY_ASSIGN(const KubeadmApi api, kubeadm_api(kubernetes));
  Object join{{"apiVersion", to_string(api)},
              {"kind", "JoinConfiguration"},
              {"discovery", Object{{"file", Object{{"kubeConfigPath", discovery_file}}},
                                   {"tlsBootstrapToken", secrets.token}}},
              {"nodeRegistration", node_registration(host)}};
  if (host.has(Role::control_plane))
    join["controlPlane"] =
        Object{{"localAPIEndpoint", local_endpoint(host)}, {"certificateKey", secrets.certificate_key}};
  return to_yaml(finished(cluster, "JoinConfiguration", std::move(join), api));
}

std::string render_discovery(const Cluster& cluster, const std::string& ca_pem) {
  // The form of kubeadm's own cluster-info: one cluster without a name. With a context it would want a user,
  // too.
  const Object entry{{"server", "https://" + cluster.endpoint.host_and_port()},
                     {"certificate-authority-data", to_base64(as_bytes(ca_pem))}};
  Array clusters;
  clusters.push_back(Object{{"name", ""}, {"cluster", entry}});
  return to_yaml(Object{{"apiVersion", "v1"},
                        {"kind", "Config"},
                        {"clusters", std::move(clusters)},
                        {"contexts", Array{}},
                        {"current-context", ""},
                        {"users", Array{}}});
}

std::string render_token_secret(const JoinSecrets& secrets, const std::string& expires) {
  return to_yaml(Object{
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"metadata", Object{{"name", "bootstrap-token-" + secrets.token_id()}, {"namespace", "kube-system"}}},
      {"type", "bootstrap.kubernetes.io/token"},
      {"stringData", Object{{"description", kTokenDescription},
                            {"token-id", secrets.token_id()},
                            {"token-secret", secrets.token.substr(7)},
                            {"expiration", expires},
                            {"usage-bootstrap-authentication", "true"},
                            {"usage-bootstrap-signing", "true"},
                            {"auth-extra-groups", "system:bootstrappers:kubeadm:default-node-token"}}}});
}

}  // namespace sealift::installer
