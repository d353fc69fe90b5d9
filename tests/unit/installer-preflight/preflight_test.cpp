#include "installer/preflight/preflight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/plan/membership.hpp"
#include "sample_site.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;

TEST(Preflight, FindsNothingWrongWithAGoodSite) {
  for (const Finding& finding : sample_site().evaluate()) ADD_FAILURE() << describe(finding);
}

TEST(Preflight, RefusesSwapUnlessItMayTurnItOff) {
  SampleSite site = sample_site();
  site.facts("m2").swaps = {{"/dev/sdb1", 1 << 30}};
  EXPECT_THAT(describe(only_error(site, "swap")), HasSubstr("m2: swap is on (/dev/sdb1)"));
  site.swap_off = true;
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::change);
}

TEST(Preflight, SaysThatSwapOfTheNextBootGoes) {
  SampleSite site = sample_site();
  site.facts("m2").fstab_swaps = {"/dev/sdb1 none swap sw 0 0", "/swapfile none swap sw,noauto 0 0"};
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::change);
  EXPECT_THAT(describe(findings[0]),
              HasSubstr("commented out: /dev/sdb1 none swap sw 0 0; /swapfile none swap sw,noauto 0 0"));
  site.facts("m2").swaps = {{"/dev/sdb1", 1 << 30}};
  only_error(site, "swap");
}

TEST(Preflight, RefusesWhatClonesShare) {
  SampleSite site = sample_site();
  site.facts("m2").product_uuid = "uuid-m1";
  EXPECT_THAT(describe(only_error(site, "product_uuid")), HasSubstr("also that of 'm1'"));
  site = sample_site();
  site.facts("m2").machine_id = "id-m1";
  only_error(site, "machine-id");
  site = sample_site();
  site.facts("w1").interfaces[0].mac = site.facts("m3").interfaces[0].mac;
  only_error(site, "mac");
  site = sample_site();
  site.facts("m2").hostname = "m1";
  only_error(site, "hostname");
}

TEST(Preflight, LetsHostsWithoutProductUuidPass) {
  SampleSite site = sample_site();
  for (auto& [name, report] : site.hosts) report.facts.product_uuid.clear();
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(Preflight, RefusesSkewedClocksAndNamesBoth) {
  SampleSite site = sample_site();
  site.hosts["m3"].clock_offset = std::chrono::seconds(30);
  EXPECT_THAT(describe(only_error(site, "clock")), HasSubstr("m3: the clock is 30.0 s ahead"));
  site.hosts["m3"].clock_offset = std::chrono::seconds(-2);
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::warning);
}

TEST(Preflight, RefusesClocksOfAnotherTime) {
  SampleSite site = sample_site();
  site.contents.time = Timestamp(std::chrono::days(20000));
  for (auto& [name, report] : site.hosts)
    report.facts.clock_unix_ns = std::chrono::nanoseconds(std::chrono::days(20000)).count();
  EXPECT_TRUE(site.evaluate().empty());
  site.facts("w1").clock_unix_ns -= 1;
  EXPECT_THAT(
      describe(only_error(site, "clock")),
      HasSubstr(
          "w1: the clock says 2024-10-03T23:59:59Z, before the bundle was locked (2024-10-04T00:00:00Z)"));
  site.facts("w1").clock_unix_ns += 1;
  // The deploy host is ahead of all.
  for (auto& [name, report] : site.hosts)
    if (name != site.deploy) report.clock_offset = std::chrono::hours(-13);
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), site.cluster.hosts.size());
  EXPECT_THAT(describe(findings[0]), HasSubstr("the clock is 13.0 h behind that of 'deploy'"));
}

TEST(Preflight, RefusesTooLittleOfAnything) {
  SampleSite site = sample_site();
  site.facts("w1").disks[0].free_bytes = 600U << 20;
  EXPECT_THAT(describe(only_error(site, "disk")), HasSubstr("free disk space"));
  site = sample_site();
  site.facts("m1").cpus = 1;
  only_error(site, "cpu");
  site = sample_site();
  site.facts("m1").memory_bytes = 1U << 30;
  only_error(site, "memory");
}

TEST(Preflight, RefusesAnEndpointThatSomebodyUses) {
  SampleSite site = sample_site();
  site.facts("m1").claims = {{"192.168.2.100", true, false, "52:54:00:aa:aa:aa"}};
  EXPECT_THAT(only_error(site, "endpoint-address").message, HasSubstr("52:54:00:aa:aa:aa"));
}

TEST(Preflight, AcceptsTheEndpointOnOneOfItsOwnHosts) {
  SampleSite site = sample_site();
  for (auto& [name, report] : site.hosts) report.facts.journal_cluster_name = name == "deploy" ? "" : "prod";
  site.facts("m1").claims = {{"192.168.2.100", false, true, ""}};
  site.facts("m2").claims = {{"192.168.2.100", true, false, site.facts("m1").interfaces[0].mac}};
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(Preflight, RefusesAnEndpointOutsideTheHostsNetwork) {
  SampleSite site = sample_site();
  site.cluster.network.plugin = "flannel";
  site.manifests["flannel"] = "";
  site.facts("m2").addresses[1].prefix = 28;
  EXPECT_THAT(only_error(site, "endpoint-subnet").message, HasSubstr("192.168.2.12/28"));
}

TEST(Preflight, RefusesBridgeAcrossNetworks) {
  SampleSite site = sample_site();
  site.facts("w1").addresses[1].prefix = 30;
  EXPECT_THAT(describe(only_error(site, "network-plugin")), HasSubstr("w1: 'm1' (192.168.2.11) is in none"));
}

TEST(Preflight, SaysWhenNobodyCouldAskForTheAddress) {
  SampleSite site = sample_site();
  site.facts("m1").claims = {{"192.168.2.100", false, false, ""}};
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::warning);
  EXPECT_THAT(findings[0].message, HasSubstr("192.168.2.100"));
  site.facts("m2").claims = {{"192.168.2.100", true, false, ""}};
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(Preflight, RefusesAnAddressTheHostDoesNotHave) {
  SampleSite site = sample_site();
  site.facts("w1").addresses[1].address = "192.168.2.77";
  EXPECT_THAT(only_error(site, "address").message, HasSubstr("it has 192.168.2.77"));
}

TEST(Preflight, NeedsAWayToAskNamesOnlyForTheDnsAddOn) {
  SampleSite site = sample_site();
  site.facts("m1").nameservers.clear();
  EXPECT_TRUE(site.evaluate().empty());
  site.cluster.dns = true;
  site.contents.kubernetes_images.push_back("k8s.gcr.io/coredns:1.7.0");
  site.contents.images.push_back({"k8s.gcr.io/coredns:1.7.0", digest_of(std::string_view("c")), "", 1, {}});
  only_error(site, "nameserver");
  site.facts("m1").nameservers = {"127.0.0.1"};
  only_error(site, "nameserver");
  site.facts("m1").nameservers = {"127.0.0.53"};  // and resolved itself has told no file of its own
  only_error(site, "nameserver");
}

TEST(Preflight, WantsTheAddressInTheNetworkOfTheNamedInterface) {
  SampleSite site = sample_site();
  site.cluster.endpoint.interface = "eth0";
  EXPECT_TRUE(site.evaluate().empty());
  site.cluster.endpoint.address = IpAddress::parse("192.168.22.100").value();
  for (const Finding& finding : site.evaluate())
    EXPECT_THAT(describe(finding), HasSubstr("192.168.22.100 is in none of the networks of eth0"));
  EXPECT_EQ(site.evaluate().size(), 3U);
}

TEST(Preflight, WarnsWithoutDefaultRoute) {
  SampleSite site = sample_site();
  site.facts("w1").routes.clear();
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].subject, "default-route");
  EXPECT_EQ(findings[0].severity, Severity::warning);
}

TEST(Preflight, KnowsThatFlannelFollowsTheDefaultRoute) {
  SampleSite site = sample_site("dns: {enabled: false}\nnetwork: {plugin: flannel}\n");
  site.manifests["flannel"] = "command: [/opt/bin/flanneld]\nargs: [--ip-masq]\n";
  EXPECT_TRUE(site.evaluate().empty());
  const auto routes = site.facts("w1").routes;
  site.facts("w1").routes.clear();
  EXPECT_THAT(only_error(site, "default-route").message, HasSubstr("flannel"));
  site.facts("w1").routes = routes;
  site.facts("w1").routes[0].interface = "storage0";
  ASSERT_EQ(site.evaluate().size(), 1U);
  EXPECT_EQ(site.evaluate()[0].severity, Severity::warning);
  EXPECT_THAT(site.evaluate()[0].message, HasSubstr("over storage0"));
  site.manifests["flannel"] = "command: [/opt/bin/flanneld]\nargs: [--iface=eth0]\n";
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(Preflight, NeedsEveryCgroupControllerThatKubeadmNeeds) {
  SampleSite site = sample_site();
  site.facts("m1").cgroup_version = 2;
  site.facts("m1").cgroup_controllers = {"cpu", "memory", "pids"};
  EXPECT_THAT(only_error(site, "cgroup").message, HasSubstr("'cpuset'"));
  site.facts("m1").cgroup_controllers = {"cpu", "cpuset", "memory", "pids"};
  EXPECT_TRUE(site.evaluate().empty());
  site.facts("m1").cgroup_version = 1;
  site.facts("m1").cgroup_controllers = {"cpu", "cpuset", "memory", "pids", "cpuacct", "devices"};
  EXPECT_THAT(only_error(site, "cgroup").message, HasSubstr("'freezer'"));
}

TEST(Preflight, RefusesAContainerdTooOldForTheKubelet) {
  SampleSite site = sample_site();
  auto& containerd = site.contents.package_sets[0].packages[0];
  ASSERT_EQ(containerd.name, "containerd");
  containerd.version = "1.5.9-0ubuntu1";
  EXPECT_TRUE(site.evaluate().empty());
  site.contents.kubernetes_version = "v1.26.0";
  EXPECT_THAT(only_error(site, "program").message,
              HasSubstr("needs containerd 1.6 or later; the bundle has 1.5.9"));
  containerd.version = "1.7.24";
  EXPECT_TRUE(site.evaluate().empty());
  site.contents.kubernetes_version = "v1.36.0";
  EXPECT_THAT(only_error(site, "program").message, HasSubstr("needs containerd 2.0 or later"));
}

TEST(Preflight, NeedsTheKernelsConfigurationOnNodes) {
  SampleSite site = sample_site();
  site.facts("w1").kernel_config.clear();
  EXPECT_THAT(only_error(site, "kernel-config").message, HasSubstr("/boot/config-6.1.0-18-amd64"));
}

TEST(Preflight, JudgesOldKernelsAsKubeadmDoes) {
  SampleSite site = sample_site();
  site.facts("w1").kernel = "4.18.0-553.el8.x86_64";
  EXPECT_TRUE(site.evaluate().empty());
  site.contents.kubernetes_version = "v1.33.1";
  only_error(site, "kernel");
  site.contents.kubernetes_version = "v1.34.0";
  bool warned = false;
  for (const Finding& finding : site.evaluate())
    warned = warned || (finding.subject == "kernel" && finding.severity == Severity::warning);
  EXPECT_TRUE(warned);
}

TEST(Preflight, RefusesPortsThatAnotherProgramHolds) {
  SampleSite site = sample_site();
  site.facts("m1").listeners = {{"tcp", "0.0.0.0", 6443, "haproxy", 7}, {"tcp", "0.0.0.0", 22, "sshd", 8}};
  EXPECT_THAT(only_error(site, "port").message, HasSubstr("6443 is in use by haproxy"));
  // What the cluster runs there is another matter.
  site.facts("m1").journal_cluster_name = "prod";
  EXPECT_THAT(only_error(site, "port").message, HasSubstr("6443 is in use by haproxy"));
  site.facts("m1").listeners[0].program = "kube-apiserver";
  site.facts("m1").listeners.push_back({"tcp", "0.0.0.0", 10256, "cilium-agent", 9});
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(Preflight, TellsClosedFromRefusedPorts) {
  SampleSite site = sample_site();
  site.facts("m1").reach = {{{"192.168.2.12", 2380}, false, true, "refused"},
                            {{"192.168.2.13", 2380}, false, false, "timed out"}};
  EXPECT_THAT(only_error(site, "reach").message, HasSubstr("192.168.2.13 port 2380 (timed out)"));
}

TEST(Preflight, RefusesCgroupV1OnlyFor135) {
  SampleSite site = sample_site();
  site.facts("m1").cgroup_version = 1;
  site.facts("m1").cgroup_controllers = {"cpu", "cpuset", "memory", "pids", "cpuacct", "devices", "freezer"};
  EXPECT_TRUE(site.evaluate().empty());
  site.contents.kubernetes_version = "v1.35.0";
  only_error(site, "cgroup");
}

TEST(Preflight, RefusesForeignSystemsAndMachines) {
  SampleSite site = sample_site();
  site.facts("w1").os_release["VERSION_ID"] = "13";
  bool named = false;
  for (const Finding& finding : site.evaluate())
    named = named || finding.message.find("runs debian-13; the bundle has packages for debian-12") !=
                         std::string::npos;
  EXPECT_TRUE(named);
  site = sample_site();
  site.facts("w1").machine = "aarch64";
  bool architecture = false;
  for (const Finding& finding : site.evaluate())
    architecture = architecture || finding.subject == "architecture";
  EXPECT_TRUE(architecture);
}

TEST(Preflight, RefusesABundleThatLacksAnImage) {
  SampleSite site = sample_site();
  std::erase_if(site.contents.images,
                [](const auto& image) { return image.name.find("kube-proxy") != std::string::npos; });
  EXPECT_THAT(only_error(site, "image-closure").message, HasSubstr("k8s.gcr.io/kube-proxy:v1.20.2"));
}

TEST(Preflight, RefusesANetworkManifestWithMissingImages) {
  SampleSite site = sample_site("dns: {enabled: false}\nnetwork: {plugin: flannel}\n");
  EXPECT_THAT(only_error(site, "manifest").message, HasSubstr("'flannel'"));
  site.manifests["flannel"] =
      "containers:\n  - image: docker.io/flannel/flannel:v1 # main\n  - name: x\n    image: \"nginx\"\n";
  const std::string message = only_error(site, "image-closure").message;
  EXPECT_THAT(message, HasSubstr("docker.io/flannel/flannel:v1"));
  EXPECT_THAT(message, HasSubstr("nginx"));
  for (const char* name : {"docker.io/flannel/flannel:v1", "docker.io/library/nginx:latest"})
    site.contents.images.push_back({name, digest_of(std::string_view(name)), "", 1, {}});
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(Preflight, KnowsTheManifestsThatAreToBeApplied) {
  SampleSite site = sample_site("dns: {enabled: false}\nmanifests: [metrics]\n");
  EXPECT_THAT(only_error(site, "manifest").message, HasSubstr("'metrics' (manifests); it has none"));
  site.manifests["metrics"] = "image: docker.io/library/metrics:1\n";
  EXPECT_THAT(only_error(site, "image-closure").message, HasSubstr("'metrics': docker.io/library/metrics:1"));
  site.cluster.manifests.clear();
  ASSERT_EQ(site.evaluate().size(), 1U);
  EXPECT_THAT(describe(site.evaluate()[0]), HasSubstr("manifests metrics are not applied"));
}

TEST(Preflight, SaysWhatADnsLessBundleNeeds) {
  EXPECT_THAT(only_error(sample_site(""), "dns").advice, HasSubstr("dns: {enabled: false}"));
}

TEST(FactsRequest, AsksBalancersForTheAddressAndVrrp) {
  const SampleSite site = sample_site();
  const auto balancer = facts_request(site.cluster, site.contents, &site.cluster.hosts[0], "192.168.2.5");
  EXPECT_THAT(balancer.claims, ::testing::ElementsAre("192.168.2.100"));
  EXPECT_GT(balancer.vrrp_listen_ms, 1000U);
  const auto worker = facts_request(site.cluster, site.contents, &site.cluster.hosts[3], "192.168.2.5");
  EXPECT_EQ(worker.vrrp_listen_ms, 0U);
  EXPECT_THAT(worker.reach, ::testing::Contains(AddressPort{"192.168.2.11", 6443}));
}

}  // namespace
}  // namespace sealift::installer
