#include "sample_site.hpp"

#include <gtest/gtest.h>

#include "installer/plan/supply.hpp"

namespace sealift::installer {
namespace {

bundle::FileEntry program(const std::string& role, const std::string& path) {
  return {path, digest_of(role), role.size(), "application/octet-stream", 0755, role, "linux/amd64"};
}

bundle::Contents sample_contents() {
  bundle::Contents contents;
  contents.name = "k8s";
  contents.platforms = {"linux/amd64"};
  contents.kubernetes_version = "v1.20.2";
  for (const char* name : {"kube-apiserver:v1.20.2", "kube-controller-manager:v1.20.2",
                           "kube-scheduler:v1.20.2", "kube-proxy:v1.20.2", "pause:3.2", "etcd:3.4.13-0"}) {
    contents.kubernetes_images.push_back(std::string("k8s.gcr.io/") + name);
    contents.images.push_back({contents.kubernetes_images.back(),
                               digest_of(std::string_view(name)),
                               "",
                               1U << 20,
                               {"linux/amd64"}});
  }
  for (const char* role : {"kubeadm", "kubelet", "kubectl"})
    contents.files.push_back(program(role, std::string("files/bin/linux/amd64/") + role));
  contents.files.push_back(program("crictl", "files/crictl-v1.20.0-linux-amd64.tar.gz"));
  bundle::PackageSetEntry set;
  set.target = "debian-12";
  set.baseline = "debian-12-minimal";
  for (const char* name : {"containerd", "runc", "containernetworking-plugins", "keepalived", "nginx",
                           "libnginx-mod-stream", "chrony"}) {
    set.install.emplace_back(name);
    set.packages.push_back({name, std::string(name) == "containerd" ? "1.6.20~ds1-1+b1" : "1.0", "amd64",
                            "apt/debian-12/pool/x", digest_of(std::string_view(name)), 1});
  }
  contents.package_sets.push_back(set);
  return contents;
}

Facts sample_facts(const std::string& name, const std::string& address, unsigned number) {
  Facts facts;
  facts.hostname = name;
  facts.os_release = {{"ID", "debian"}, {"VERSION_ID", "12"}};
  facts.kernel = "6.1.0-18-amd64";
  facts.kernel_config = "/boot/config-6.1.0-18-amd64";
  facts.machine = "x86_64";
  facts.dpkg_architecture = "amd64";
  facts.cpus = 2;
  facts.memory_bytes = 4ULL << 30;
  facts.disks = {{"/var/lib", 80ULL << 30, 60ULL << 30}};
  facts.product_uuid = "uuid-" + name;
  facts.machine_id = "id-" + name;
  facts.interfaces = {{"eth0", fmt::format("52:54:00:00:00:{:02x}", number), true, true}};
  facts.addresses = {{"lo", "127.0.0.1", 8}, {"eth0", address, 24}};
  facts.routes = {{"0.0.0.0/0", "192.168.2.1", "eth0"}};
  facts.nameservers = {"192.168.2.1"};
  facts.cgroup_version = 2;
  facts.cgroup_controllers = {"cpu", "cpuset", "memory", "pids", "io"};
  facts.modules = {{"overlay", "builtin"}, {"br_netfilter", "available"}};
  facts.systemd_version = "252";
  return facts;
}

}  // namespace

std::vector<Finding> SampleSite::evaluate() const {
  // As a parsed table of contents has it: sorted.
  bundle::Contents sorted = merge_contents({&contents});
  return installer::evaluate({cluster, sorted, hosts, deploy, manifests, swap_off});
}

SampleSite sample_site(const std::string& extra_yaml) {
  SampleSite site;
  auto cluster = parse_cluster(R"(apiVersion: sealift/v1
kind: Cluster
metadata: {name: prod}
endpoint: {address: 192.168.2.100}
hosts:
  - {name: m1, address: 192.168.2.11, roles: [control-plane]}
  - {name: m2, address: 192.168.2.12, roles: [control-plane]}
  - {name: m3, address: 192.168.2.13, roles: [control-plane]}
  - {name: w1, address: 192.168.2.21, roles: [worker], labels: {disk: ssd}}
)" + extra_yaml,
                               "cluster.yaml");
  EXPECT_TRUE(cluster) << cluster.error().message();
  site.cluster = *cluster;
  site.contents = sample_contents();
  unsigned number = 1;
  for (const Host& host : site.cluster.hosts)
    site.hosts[host.name].facts = sample_facts(host.name, host.address.str(), number++);
  site.hosts["deploy"].facts = sample_facts("deploy", "192.168.2.5", number);
  return site;
}

Finding only_error(const SampleSite& site, const std::string& subject) {
  Finding result;
  std::size_t count = 0;
  for (const Finding& finding : site.evaluate()) {
    if (finding.severity != Severity::error) continue;
    EXPECT_EQ(finding.subject, subject) << describe(finding);
    result = finding;
    ++count;
  }
  EXPECT_EQ(count, 1U) << subject;
  return result;
}

}  // namespace sealift::installer
