#include "installer/render/kubeadm.hpp"

#include <algorithm>

#include "installer/inventory/arguments.hpp"
#include "installer/render/overlay.hpp"
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

/// What people wrote below `kubeadm:` merged into what we render.
Result<Value> finished(const Cluster& cluster, std::string_view kind, Object base, KubeadmApi api) {
  const std::string path = fmt::format("kubeadm.{}", kind);
  Value document(std::move(base));
  TRY(arguments_as_lists(document, path));
  if (const auto* overlay = cluster.kubeadm.if_contains(kind)) {
    document = merge(std::move(document), *overlay);
  }
  if (api != KubeadmApi::v1beta4) TRY(arguments_as_maps(document, path));
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

Result<Value> cluster_configuration(const Cluster& cluster, const ReleaseVersion& kubernetes,
                                    KubeadmApi api) {
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

Result<Value> kubelet_configuration(const Cluster& cluster, const ReleaseVersion& kubernetes,
                                    KubeadmApi api) {
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

Result<Value> proxy_configuration(const Cluster& cluster, KubeadmApi api) {
  // kubeadm itself sets clusterCIDR to the range of the pods, of both families where there are two.
  Object base{{"apiVersion", "kubeproxy.config.k8s.io/v1alpha1"}, {"kind", "KubeProxyConfiguration"}};
  if (!cluster.feature_gates.empty()) base["featureGates"] = gate_map(cluster);
  return finished(cluster, "KubeProxyConfiguration", std::move(base), api);
}

Object local_endpoint(const Host& host) {
  // The node's own address, never the floating one: etcd's members and the API's endpoints are made of it.
  return {{"advertiseAddress", host.address.str()}, {"bindPort", 6443}};
}

/// Adds to skipPhases, which people may have given themselves.
void skip_phase(Value& init, std::string_view phase) {
  Value& phases = init.get_object()["skipPhases"];
  if (!phases.is_array()) phases = Array{};
  if (std::find(phases.get_array().begin(), phases.get_array().end(), Value(phase)) ==
      phases.get_array().end())
    phases.get_array().emplace_back(phase);
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
  TRY_ASSIGN(Value init_document, finished(cluster, "InitConfiguration", std::move(init), api));
  if (!cluster.dns && api != KubeadmApi::v1beta2) skip_phase(init_document, kDnsPhase);
  TRY_ASSIGN(Value cluster_document, cluster_configuration(cluster, kubernetes, api));
  TRY_ASSIGN(Value kubelet_document, kubelet_configuration(cluster, kubernetes, api));
  TRY_ASSIGN(Value proxy_document, proxy_configuration(cluster, api));
  return to_yaml_stream({std::move(init_document), std::move(cluster_document), std::move(kubelet_document),
                         std::move(proxy_document)});
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
  TRY_ASSIGN(const Value document, finished(cluster, "JoinConfiguration", std::move(join), api));
  return to_yaml(document);
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
