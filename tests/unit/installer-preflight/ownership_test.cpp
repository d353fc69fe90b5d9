// Whose a host is: other clusters, members, firewalls, the deploy host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/plan/membership.hpp"
#include "installer/preflight/preflight.hpp"
#include "sample_site.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;

TEST(PreflightOwnership, OpensAFirewallThatItKnows) {
  SampleSite site = sample_site();
  site.facts("m2").firewalls = {"ufw"};
  site.facts("m1").reach = {{{"192.168.2.12", 6443}, false, false, "timed out"}};
  auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::change);
  EXPECT_THAT(describe(findings[0]), HasSubstr("m2: ufw is active and will let through"));
  // Nothing to say once the host is ours; a port that is closed all the same, by another firewall, is for
  // the steps to find.
  for (auto& [name, report] : site.hosts) report.facts.journal_cluster_name = "prod";
  EXPECT_TRUE(site.evaluate().empty());
}

TEST(PreflightOwnership, LeavesFirewallsAloneThatItDoesNotKnowOrMayNotTouch) {
  SampleSite site = sample_site();
  site.facts("m2").firewalls = {"nftables"};
  site.facts("m1").reach = {{{"192.168.2.12", 6443}, false, false, "timed out"}};
  EXPECT_THAT(describe(only_error(site, "reach")), HasSubstr("m1: cannot reach 192.168.2.12 port 6443"));
  site = sample_site("dns: {enabled: false}\nfirewall: {manage: false}\n");
  site.facts("deploy").firewalls = {"firewalld"};
  site.facts("m1").reach = {{{"192.168.2.5", 5000}, false, false, "no route to host"}};
  EXPECT_THAT(describe(only_error(site, "reach")), HasSubstr("m1: cannot reach 192.168.2.5 port 5000"));
  EXPECT_EQ(site.evaluate().back().severity, Severity::warning);
  EXPECT_THAT(describe(site.evaluate().back()), HasSubstr("deploy: firewalld is active and refuses packets"));
}

TEST(PreflightOwnership, RefusesHostsOfOtherClusters) {
  SampleSite site = sample_site();
  site.facts("m1").journal_cluster_name = "other";
  only_error(site, "other-cluster");
  site = sample_site();
  site.facts("w1").kubernetes_files = {"/etc/kubernetes/kubelet.conf"};
  EXPECT_THAT(only_error(site, "other-cluster").message, HasSubstr("/etc/kubernetes/kubelet.conf"));
  site.facts("w1").journal_cluster_name = "prod";
  EXPECT_TRUE(site.evaluate().empty());
}

/// m1 is a member that runs this version.
SampleSite with_member(const std::string& version) {
  SampleSite site = sample_site();
  Facts& facts = site.facts("m1");
  facts.journal_cluster_name = "prod";
  facts.paths = {{kMemberMark, true}, {kKubeletConfig, true}, {kAdminConfig, true}};
  facts.kubernetes_files = {kKubeletConfig};
  facts.api_server_version = version;
  return site;
}

TEST(PreflightOwnership, RefusesToInstallAnotherVersionOverARunningOne) {
  EXPECT_TRUE(with_member("v1.20.2").evaluate().empty());
  EXPECT_THAT(describe(only_error(with_member("v1.19.7"), "kubernetes-version")),
              HasSubstr("m1: the host runs Kubernetes v1.19.7; the bundle is for v1.20.2"));
}

TEST(PreflightOwnership, RefusesAMemberThatLacksAFileInsteadOfMakingItAnew) {
  SampleSite site = with_member("v1.20.2");
  site.facts("m1").paths[kAdminConfig] = false;
  EXPECT_THAT(describe(only_error(site, "member")), HasSubstr("/etc/kubernetes/admin.conf is missing"));
}

TEST(PreflightOwnership, RefusesADeployHostThatServesAnotherCluster) {
  SampleSite site = sample_site();
  site.facts("deploy").journal_cluster_name = "other";
  EXPECT_THAT(describe(only_error(site, "other-cluster")),
              HasSubstr("deploy: this deploy host serves the cluster 'other'"));
}

TEST(PreflightOwnership, TakesAnUnreadableJournalForNoOtherCluster) {
  SampleSite site = sample_site();
  Facts& facts = site.facts("m1");
  facts.kubernetes_files = {kKubeletConfig};
  facts.listeners = {{"tcp", "0.0.0.0", 6443, "kube-apiserver"}};
  facts.journal_error = "/var/lib/sealift/journal/log:3: the line does not match its digest";
  const Finding finding = only_error(site, "journal");
  EXPECT_THAT(finding.message, HasSubstr("journal/log:3"));
  EXPECT_THAT(finding.advice, testing::Not(HasSubstr("reset")));
}

TEST(PreflightOwnership, TellsTheMirrorFromAServerSomebodyStarted) {
  SampleSite site = sample_site();
  site.facts("deploy").listeners = {{"tcp", "0.0.0.0", 5000, "sealift"}};
  EXPECT_THAT(only_error(site, "port").message, HasSubstr("port 5000 is in use by sealift"));
  site.facts("deploy").journal_cluster_name = "prod";
  EXPECT_TRUE(site.evaluate().empty());
}

}  // namespace
}  // namespace sealift::installer
