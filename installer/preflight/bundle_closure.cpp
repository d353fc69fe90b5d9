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

/// The text of the manifest that `key` in cluster.yaml names, or null: then the finding says which there are.
const std::string* find_manifest(const PreflightInput& input, const std::string& key, const std::string& name,
                                 std::vector<Finding>& findings) {
  if (const auto found = input.manifests.find(name); found != input.manifests.end()) return &found->second;
  std::vector<std::string> known;
  if (key == "network.plugin") known.emplace_back("bridge");
  for (const auto& [other, text] : input.manifests) known.push_back(other);
  add(findings, "manifest",
      fmt::format("the bundle has no manifest called '{}' ({}); it has {}", name, key,
                  known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))),
      "add it to manifests: in bundle.yaml, or choose one of these");
  return nullptr;
}

void check_images_of(const PreflightInput& input, const std::string& name, const std::string& text,
                     std::vector<Finding>& findings) {
  std::vector<std::string> missing;
  for (const std::string& image : images_in_manifest(text))
    if (!has_image(input.contents, image)) missing.push_back(image);
  if (!missing.empty())
    add(findings, "image-closure",
        fmt::format("the bundle lacks images of the manifest '{}': {}", name, fmt::join(missing, ", ")),
        "add them to images: in bundle.yaml");
}

void check_network_manifest(const PreflightInput& input, std::vector<Finding>& findings) {
  const std::string& plugin = input.cluster.network.plugin;
  if (input.cluster.network.is_bridge()) return;
  const std::string* text = find_manifest(input, "network.plugin", plugin, findings);
  if (text == nullptr) return;
  check_images_of(input, plugin, *text, findings);
  const std::string pods = input.cluster.network.pods.str();
  if (text->find("\"Network\"") != std::string::npos && text->find(pods) == std::string::npos)
    add(findings, "network-plugin",
        fmt::format("the manifest '{}' is for another pod range than network.pods {}", plugin, pods),
        "write the manifest's own range into network.pods");
}

/// Manifests that are to be applied, and those that nobody named.
void check_manifests(const PreflightInput& input, std::vector<Finding>& findings) {
  std::set<std::string> named{input.cluster.network.plugin};
  for (const std::string& name : input.cluster.manifests) {
    named.insert(name);
    const std::string* text = find_manifest(input, "manifests", name, findings);
    if (text != nullptr) check_images_of(input, name, *text, findings);
  }
  std::vector<std::string> idle;
  for (const auto& [name, text] : input.manifests)
    if (!named.contains(name)) idle.push_back(name);
  if (!idle.empty())
    findings.push_back({Severity::warning, "", "manifest",
                        fmt::format("the bundle's manifests {} are not applied", fmt::join(idle, ", ")),
                        "name them in manifests: of cluster.yaml to have that done"});
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
  check_manifests(input, findings);
  check_programs(input, findings);
}

}  // namespace sealift::installer
