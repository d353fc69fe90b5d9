// What the hosts need and the bundle brings, or not.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/plan/membership.hpp"
#include "installer/preflight/preflight.hpp"
#include "sample_site.hpp"

namespace sealift::installer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Takes a package out of the bundle.
void lose(SampleSite& site, const std::string& name) {
  auto& set = site.contents.package_sets[0];
  std::erase(set.install, name);
  std::erase_if(set.packages, [&](const auto& package) { return package.name == name; });
}

void install_everywhere(SampleSite& site, const std::string& name) {
  for (auto& [host, report] : site.hosts) report.facts.packages[name] = "1.0";
}

void add_release(SampleSite& site, const std::string& role) {
  site.contents.files.push_back({"files/" + role + "-1.2.3-linux-amd64", digest_of(role), role.size(),
                                 "application/octet-stream", 0755, role, "linux/amd64"});
}

TEST(PreflightSupply, NeedsTheModuleOfNginxThatBalances) {
  SampleSite site = sample_site();
  lose(site, "libnginx-mod-stream");
  EXPECT_THAT(site.evaluate(),
              AllOf(SizeIs(3), Each(Field(&Finding::message, HasSubstr("libnginx-mod-stream")))));
  install_everywhere(site, "libnginx-mod-stream");
  EXPECT_THAT(site.evaluate(), SizeIs(0));
}

TEST(PreflightSupply, NeedsRuncOnNodes) {
  SampleSite site = sample_site();
  lose(site, "runc");
  EXPECT_THAT(site.evaluate(), AllOf(SizeIs(4), Each(Field(&Finding::message, HasSubstr("needs runc")))));
  SampleSite other = site;
  add_release(other, "runc");
  EXPECT_THAT(other.evaluate(), SizeIs(0));
  other = site;
  install_everywhere(other, "containerd.io");
  EXPECT_THAT(other.evaluate(), SizeIs(0));
  // What a package that is asked for needs comes along, too.
  site.contents.package_sets[0].packages.push_back(
      {"runc", "1.1", "amd64", "apt/debian-12/pool/x", digest_of(std::string_view("runc")), 1});
  EXPECT_THAT(site.evaluate(), SizeIs(0));
}

TEST(PreflightSupply, OnlyWarnsWhereTheHostRunsWithoutIt) {
  SampleSite site = sample_site();
  lose(site, "runc");
  Facts& facts = site.facts("w1");
  facts.journal_cluster_name = "prod";
  for (const char* path : {kMemberMark, kKubeletConfig}) facts.paths[path] = true;
  const auto findings = site.evaluate();
  const auto about = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.host == "w1" && finding.subject == "program";
  });
  ASSERT_NE(about, findings.end());
  EXPECT_EQ(about->severity, Severity::warning);
}

TEST(PreflightSupply, NeedsCniPluginsWhereContainerdLooks) {
  SampleSite site = sample_site();
  lose(site, "containernetworking-plugins");
  install_everywhere(site, "kubernetes-cni");
  EXPECT_THAT(site.evaluate(), AllOf(SizeIs(4), Each(Field(&Finding::message, HasSubstr("CNI plugins")))));
  SampleSite other = site;
  add_release(other, "cni-plugins");
  EXPECT_THAT(other.evaluate(), SizeIs(0));
  install_everywhere(site, "containernetworking-plugins");
  EXPECT_THAT(site.evaluate(), SizeIs(0));
}

TEST(PreflightSupply, WantsNeitherOnABalancerOfItsOwn) {
  SampleSite site = sample_site();
  lose(site, "runc");
  lose(site, "containernetworking-plugins");
  site.cluster.hosts[3].roles = {Role::load_balancer};
  for (const Finding& finding : site.evaluate()) EXPECT_NE(finding.host, "w1") << describe(finding);
}

TEST(PreflightSupply, NeedsSomethingThatSetsTheClock) {
  SampleSite site = sample_site();
  site.cluster.time_servers = {"192.168.2.1", "192.168.2.2"};
  lose(site, "chrony");
  EXPECT_THAT(site.evaluate(),
              AllOf(SizeIs(4), Each(Field(&Finding::message, HasSubstr("nothing would set the clock")))));
  SampleSite other = site;
  install_everywhere(other, "systemd-timesyncd");
  EXPECT_THAT(other.evaluate(), SizeIs(0));
  install_everywhere(site, "chrony");
  EXPECT_THAT(site.evaluate(),
              AllOf(SizeIs(4), Each(Field(&Finding::severity, Severity::warning)),
                    Each(Field(&Finding::message, HasSubstr("chrony stays with its own settings")))));
}

TEST(PreflightSupply, SetsUpOnlyTheChronyOfTheBundleAsServer) {
  SampleSite site = sample_site();
  lose(site, "chrony");
  install_everywhere(site, "chrony");
  const auto findings = site.evaluate();
  ASSERT_EQ(findings.size(), 4U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(findings[i].severity, Severity::error);
    EXPECT_THAT(findings[i].message, HasSubstr("serve time to the others, but the bundle brings no chrony"));
  }
  EXPECT_THAT(describe(findings[3]), HasSubstr("w1: chrony stays with its own settings"));
  EXPECT_THAT(findings[3].advice, HasSubstr("192.168.2.11, 192.168.2.12"));
}

TEST(PreflightSupply, RefusesATimeServerThatCannotServe) {
  SampleSite site = sample_site();
  site.facts("m1").packages["systemd-timesyncd"] = "255";
  only_error(site, "time");
  site.cluster.time_servers = {"192.168.2.1", "192.168.2.2"};
  EXPECT_TRUE(site.evaluate().empty());
  site.facts("w1").packages["ntpsec"] = "1.2";
  only_error(site, "time");
}

TEST(PreflightSupply, AsksForEveryPackageThatItJudgesBy) {
  const SampleSite site = sample_site();
  const auto asked = facts_request(site.cluster, bundle::Contents{}, &site.cluster.hosts[0], "").packages;
  for (const char* name : {"keepalived", "nginx", "nginx-light", "libnginx-mod-stream", "chrony",
                           "systemd-timesyncd", "runc", "containerd.io", "containernetworking-plugins"})
    EXPECT_THAT(asked, Contains(name));
}

}  // namespace
}  // namespace sealift::installer
