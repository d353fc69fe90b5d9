// What a cluster that runs already cannot be changed to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/plan/membership.hpp"
#include "installer/preflight/preflight.hpp"
#include "sample_site.hpp"

namespace sealift::installer {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void make_member(Facts& facts) {
  facts.journal_cluster_name = "prod";
  facts.kubernetes_files = {kKubeletConfig};
  for (const char* path : {kMemberMark, kKubeletConfig, kAdminConfig}) facts.paths[path] = true;
}

/// All hosts are members of the cluster.
SampleSite running_site(const std::string& extra_yaml = "dns: {enabled: false}\n") {
  SampleSite site = sample_site(extra_yaml);
  for (const Host& host : site.cluster.hosts) {
    Facts& facts = site.facts(host.name);
    make_member(facts);
    facts.paths[kBridgeNetwork] = site.cluster.network.is_bridge();
    facts.paths[kBalancerConfig] = site.cluster.balances(host);
  }
  return site;
}

TEST(PreflightRunningCluster, FindsNothingWrongWithTheSameAgain) {
  EXPECT_THAT(running_site().evaluate(), IsEmpty());
}

TEST(PreflightRunningCluster, RefusesWhatItCannotBeChangedTo) {
  SampleSite site = running_site();
  Facts& facts = site.facts("m1");
  facts.api_url = "https://192.168.2.100:16443";
  facts.pod_range = site.cluster.network.pods.str();
  facts.service_range = site.cluster.network.services.str();
  EXPECT_TRUE(site.evaluate().empty());
  facts.api_url = "https://192.168.2.99:16443";
  EXPECT_THAT(
      describe(only_error(site, "cluster")),
      HasSubstr("m1: the cluster was made with endpoint https://192.168.2.99:16443; cluster.yaml says "
                "https://192.168.2.100:16443"));
  facts.api_url = "https://192.168.2.100:16443";
  facts.pod_range = "10.99.0.0/16";
  EXPECT_THAT(describe(only_error(site, "cluster")), HasSubstr("network.pods 10.99.0.0/16"));
}

TEST(PreflightRunningCluster, KnowsTheRangesThatKubeadmWasGiven) {
  SampleSite site = running_site(
      "dns: {enabled: false}\n"
      "kubeadm: {ClusterConfiguration: {networking: {podSubnet: '10.244.0.0/16,fd00:1::/48'}}}\n");
  Facts& facts = site.facts("m1");
  facts.pod_range = "10.244.0.0/16,fd00:1::/48";
  facts.service_range = site.cluster.network.services.str();
  EXPECT_THAT(site.evaluate(), IsEmpty());
  facts.pod_range = "10.244.0.0/16";
  EXPECT_THAT(describe(only_error(site, "cluster")),
              HasSubstr("the cluster was made with kubeadm.ClusterConfiguration.networking.podSubnet "
                        "10.244.0.0/16; cluster.yaml says 10.244.0.0/16,fd00:1::/48"));
}

TEST(PreflightRunningCluster, RefusesWorkersOfAClusterThatIsGone) {
  SampleSite site = sample_site();
  make_member(site.facts("w1"));
  const Finding finding = only_error(site, "member");
  EXPECT_THAT(describe(finding),
              HasSubstr("w1: the host belongs to a cluster that has no control plane left"));
  EXPECT_THAT(finding.advice, HasSubstr("kubeadm reset -f"));
  make_member(site.facts("m3"));
  EXPECT_THAT(site.evaluate(), IsEmpty());
}

TEST(PreflightRunningCluster, DoesNotHaveWorkersResetForAControlPlaneThatLacksAFile) {
  SampleSite site = sample_site();
  make_member(site.facts("w1"));
  make_member(site.facts("m1"));
  site.facts("m1").paths[kAdminConfig] = false;
  EXPECT_EQ(only_error(site, "member").host, "m1");
}

TEST(PreflightRunningCluster, RefusesAManifestInPlaceOfBridge) {
  SampleSite site = running_site();
  site.cluster.network.plugin = "flannel";
  site.manifests["flannel"] = "";
  EXPECT_THAT(describe(only_error(site, "network-plugin")),
              HasSubstr("the cluster was made with network.plugin bridge"));
  // Left by an earlier cluster: the pods of this one would get its addresses.
  for (const Host& host : site.cluster.hosts) site.facts(host.name).paths = {};
  for (const Host& host : site.cluster.hosts) site.facts(host.name).kubernetes_files = {};
  site.facts("w1").paths[kBridgeNetwork] = true;
  EXPECT_THAT(describe(only_error(site, "network-plugin")),
              HasSubstr("w1: the host still has the pod network"));
}

TEST(PreflightRunningCluster, RefusesBridgeInPlaceOfAManifest) {
  SampleSite site = running_site("dns: {enabled: false}\nnetwork: {plugin: flannel}\n");
  site.manifests["flannel"] = "";
  site.facts("m1").paths[manifest_path("flannel")] = true;
  EXPECT_THAT(site.evaluate(), IsEmpty());
  site.cluster.network.plugin = "bridge";
  EXPECT_THAT(describe(only_error(site, "network-plugin")),
              HasSubstr("made with network.plugin flannel "
                        "(/etc/kubernetes/sealift/manifest-flannel.yaml); cluster.yaml says bridge"));
}

TEST(PreflightRunningCluster, GoesOnWithABridgeThatWasInterrupted) {
  SampleSite site = running_site("dns: {enabled: false}\nmanifests: [note]\n");
  site.manifests["note"] = "";
  site.facts("m1").paths[manifest_path("note")] = true;
  for (const Host& host : site.cluster.hosts) site.facts(host.name).paths[kBridgeNetwork] = false;
  EXPECT_THAT(site.evaluate(), IsEmpty());
}

TEST(PreflightRunningCluster, RefusesBalancersThatMoved) {
  SampleSite site = running_site();
  site.cluster.endpoint.mode = EndpointMode::external;
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].severity, Severity::error);
  EXPECT_THAT(
      describe(findings[0]),
      HasSubstr("m1: the host still balances, which is the task of others by cluster.yaml: `systemctl "
                "disable --now keepalived sealift-lb` and remove /etc/sealift/nginx.conf there first"));
  for (const Host& host : site.cluster.hosts) site.facts(host.name).paths[kBalancerConfig] = false;
  EXPECT_THAT(site.evaluate(), IsEmpty());
}

TEST(PreflightRunningCluster, AsksForThePathsThatItJudgesBy) {
  SampleSite site = sample_site();
  bundle::FileEntry manifest = site.contents.files[0];
  manifest.path = "files/manifests/flannel.yaml";
  manifest.role = "manifest";
  site.contents.files.push_back(manifest);
  const auto asked = facts_request(site.cluster, site.contents, &site.cluster.hosts[0], "").paths;
  for (const std::string path : {kMemberMark, kBridgeNetwork, kBalancerConfig})
    EXPECT_THAT(asked, Contains(path));
  EXPECT_THAT(asked, Contains(manifest_path("flannel")));
}

}  // namespace
}  // namespace sealift::installer
