#include "installer/phases/steps.hpp"

#include <sstream>

namespace sealift::installer {
namespace {

constexpr const char* kPatches = "/etc/kubernetes/sealift/patches";
/// A strategic merge patch, as kubeadm takes it for a static pod.
constexpr const char* kEtcdPatch =
    "spec:\n"
    "  containers:\n"
    "  - name: etcd\n"
    "    resources:\n"
    "      requests:\n"
    "        ephemeral-storage: null\n";

}  // namespace

void take_storage_request_from_etcd(const Site& site, StepList& steps, std::vector<std::string>& arguments) {
  if (site.kubernetes < ReleaseVersion{1, 20, 0} || site.kubernetes >= ReleaseVersion{1, 22, 0}) return;
  steps.add("etcd-patch", WriteFile{std::string(kPatches) + "/etcd.yaml", kEtcdPatch});
  arguments.push_back(std::string("--experimental-patches=") + kPatches);
}

std::string StepList::add(const std::string& name, Action action, std::string hint) {
  steps_.push_back({id(name), std::move(action), std::move(hint)});
  return steps_.back().id;
}

Download download(const Site& site, const bundle::FileEntry& file) {
  return {.urls = {site.mirror.repository_url() + "/" + file.path}, .digest = file.digest, .size = file.size};
}

std::vector<std::string> at_leader(const Site& site, std::vector<std::string> kubectl_command) {
  const Host& leader = *site.cluster.find(site.membership.leader);
  kubectl_command.insert(kubectl_command.begin() + 2,
                         "--server=https://" + leader.address.bracketed() + ":6443");
  return kubectl_command;
}

std::vector<std::string> lines_of(const std::string& output) {
  std::vector<std::string> lines;
  std::istringstream stream(output);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string kubeconfig_path(const std::string& cluster) {
  return "/var/lib/sealift/clusters/" + cluster + "/admin.conf";
}

std::vector<std::string> kubectl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"kubectl", std::string("--kubeconfig=") + kAdminConfig, "--request-timeout=20s"});
  return arguments;
}

WaitFor api_server_ready(const Host& host) {
  const std::string server = "--server=https://" + host.address.bracketed() + ":6443";
  return {CommandSucceeds{.arguments = kubectl({"get", "--raw", "/readyz", server}),
                          .timeout = std::chrono::seconds(20),
                          .expect = "ok"},
          std::chrono::seconds(180)};
}

std::string_view etcd_loopback(const Host& host) { return host.address.is_v6() ? "[::1]" : "127.0.0.1"; }

std::vector<std::string> etcdctl(const Host& host, std::vector<std::string> arguments) {
  const std::string pki = "/etc/kubernetes/pki/etcd/";
  arguments.insert(arguments.begin(), {"-n", "kube-system", "exec", "etcd-" + host.name, "--", "etcdctl",
                                       fmt::format("--endpoints=https://{}:2379", etcd_loopback(host)),
                                       "--cacert=" + pki + "ca.crt", "--cert=" + pki + "server.crt",
                                       "--key=" + pki + "server.key"});
  return kubectl(std::move(arguments));
}

}  // namespace sealift::installer
