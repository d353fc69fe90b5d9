#include <algorithm>
#include <set>

#include "installer/plan/supply.hpp"
#include "installer/preflight/preflight.hpp"

namespace sealift::installer {
namespace {

void add(std::vector<Finding>& findings, std::string subject, std::string message, std::string advice) {
  findings.push_back({Severity::error, "", std::move(subject), std::move(message), std::move(advice)});
}

bool has_image(const bundle::Contents& contents, const std::string& name) {
  return contents.find_image(name) != nullptr || contents.find_image(full_image_name(name)) != nullptr;
}

void check_kubernetes_images(const PreflightInput& input, std::vector<Finding>& findings) {
  std::vector<std::string> missing;
  bool dns = false;
  for (const std::string& name : input.contents.kubernetes_images) {
    const bool is_dns = name.find("coredns") != std::string::npos;
    dns = dns || is_dns;
    if (!has_image(input.contents, name) && (!is_dns || input.cluster.dns)) missing.push_back(name);
  }
  if (!missing.empty())
    add(findings, "image-closure",
        fmt::format("the bundle lacks images that kubeadm {} lists: {}", input.contents.kubernetes_version,
                    fmt::join(missing, ", ")),
        "lock and create the bundle again");
  if (input.cluster.dns && !dns)
    add(findings, "dns", "the bundle was made without the image of the DNS add-on",
        "set dns: {enabled: false} in cluster.yaml, or kubernetes: {dns: true} in bundle.yaml");
  if (const auto sandbox = sandbox_image(input.contents); !sandbox)
    add(findings, "sandbox-image", sandbox.error().message(), "lock and create the bundle again");
}

void check_network_manifest(const PreflightInput& input, std::vector<Finding>& findings) {
  const std::string& plugin = input.cluster.network.plugin;
  if (input.cluster.network.is_bridge()) return;
  const auto manifest = input.manifests.find(plugin);
  if (manifest == input.manifests.end()) {
    std::vector<std::string> known{"bridge"};
    for (const auto& [name, text] : input.manifests) known.push_back(name);
    add(findings, "network-plugin",
        fmt::format("the bundle has no manifest called '{}' (network.plugin); it has {}", plugin,
                    fmt::join(known, ", ")),
        "add it to manifests: in bundle.yaml, or choose one of these");
    return;
  }
  std::vector<std::string> missing;
  for (const std::string& image : images_in_manifest(manifest->second))
    if (!has_image(input.contents, image)) missing.push_back(image);
  if (!missing.empty())
    add(findings, "image-closure",
        fmt::format("the bundle lacks images of the network plugin '{}': {}", plugin,
                    fmt::join(missing, ", ")),
        "add them to images: in bundle.yaml");
  const std::string pods = input.cluster.network.pods.str();
  if (manifest->second.find("\"Network\"") != std::string::npos &&
      manifest->second.find(pods) == std::string::npos)
    add(findings, "network-plugin",
        fmt::format("the manifest '{}' is for another pod range than network.pods {}", plugin, pods),
        "write the manifest's own range into network.pods");
}

void check_programs(const PreflightInput& input, std::vector<Finding>& findings) {
  std::set<std::string> complained;
  for (const Host* host : input.cluster.nodes()) {
    const auto found = input.hosts.find(host->name);
    if (found == input.hosts.end()) continue;
    const Facts& facts = found->second.facts;
    const std::string platform = platform_of(facts.machine);
    for (const char* role : {"kubeadm", "kubelet", "kubectl", "crictl"})
      if (input.contents.find_role(role, platform) == nullptr && complained.insert(role + platform).second)
        add(findings, "program",
            fmt::format("the bundle has no {} for {}", role, platform.empty() ? facts.machine : platform),
            "add it to bundle.yaml (kubernetes: brings the first three, components: crictl)");
    const auto containerd = containerd_version(input.contents, facts);
    if (!containerd) {
      if (complained.insert("containerd").second)
        add(findings, "program", containerd.error().message(),
            "add it to components: or to the package set in bundle.yaml");
      continue;
    }
    if (const auto version = containerd_config_version(*containerd);
        !version && complained.insert("containerd").second)
      add(findings, "program", version.error().message(), "take another containerd in bundle.yaml");
    // The kubelet speaks only version 1 of the CRI since 1.26, and wants containerd 2 since 1.36.
    const auto kubernetes = ReleaseVersion::parse(input.contents.kubernetes_version);
    const ReleaseVersion oldest = !kubernetes || *kubernetes < ReleaseVersion{1, 26, 0} ? ReleaseVersion{}
                                  : *kubernetes < ReleaseVersion{1, 36, 0} ? ReleaseVersion{1, 6, 0}
                                                                           : ReleaseVersion{2, 0, 0};
    if (*containerd < oldest && complained.insert("containerd").second)
      add(findings, "program",
          fmt::format("Kubernetes {} needs containerd {}.{} or later; the bundle has {}", kubernetes->str(),
                      oldest.major, oldest.minor, containerd->str()),
          "take a newer containerd in bundle.yaml");
  }
}

}  // namespace

void check_bundle_closure(const PreflightInput& input, std::vector<Finding>& findings) {
  if (input.contents.kubernetes_version.empty()) {
    add(findings, "kubernetes", "the bundle holds no Kubernetes",
        "give the bundle that was made with kubernetes: in bundle.yaml");
    return;
  }
  if (const auto version = ReleaseVersion::parse(input.contents.kubernetes_version); !version)
    add(findings, "kubernetes", version.error().message(), "lock and create the bundle again");
  else if (const auto api = kubeadm_api(*version); !api)
    add(findings, "kubernetes", api.error().message(), "take a newer Kubernetes");
  check_kubernetes_images(input, findings);
  check_network_manifest(input, findings);
  check_programs(input, findings);
}

}  // namespace sealift::installer
