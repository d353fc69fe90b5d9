// What the plan does to a host before Kubernetes, and to the mirror.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/plan/supply.hpp"
#include "sample_plan.hpp"

namespace sealift::installer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MakePlanPrepare, ServesABundleThatWasReplacedUnderItsName) {
  Site site = make_sample(sample_site());
  const auto unit = [](const Plan& plan) {
    return std::get<WriteFile>(find_step(find_task(plan, "mirror/deploy")->steps, "unit")->action).content;
  };
  const std::string before = unit(plan_of(site));
  site.mirror.bundles_state = "sha256:01 inode 2 mtime 1";
  EXPECT_NE(unit(plan_of(site)), before);
}

TEST(MakePlanPrepare, ServesALonelyHostWithTimesyncd) {
  SampleSite sample = sample_site();
  sample.cluster.hosts.erase(sample.cluster.hosts.begin() + 1, sample.cluster.hosts.end());
  sample.facts("m1").packages["systemd-timesyncd"] = "255";
  const auto plan = make_plan(make_sample(sample));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(find_step(find_task(*plan, "prepare/m1")->steps, "timesyncd"), nullptr);
}

TEST(MakePlanPrepare, KeepsTimesyncdWhereItIs) {
  SampleSite sample = sample_site();
  sample.cluster.time_servers = {"192.168.2.1", "192.168.2.2"};
  sample.facts("w1").packages["systemd-timesyncd"] = "255";
  const Plan plan = plan_of(make_sample(sample));
  const auto& steps = find_task(plan, "prepare/w1")->steps;
  EXPECT_THAT(std::get<WriteFile>(find_step(steps, "timesyncd")->action).content,
              HasSubstr("NTP=192.168.2.1 192.168.2.2\n"));
  EXPECT_FALSE(
      has_package(std::get<InstallPackages>(find_step(steps, "packages")->action).packages, "chrony"));
  EXPECT_EQ(find_step(find_task(plan, "prepare/m1")->steps, "timesyncd"), nullptr);
}

TEST(MakePlanPrepare, LeavesSomebodysOwnWebServerAlone) {
  SampleSite sample = sample_site();
  sample.facts("m2").packages["nginx"] = "1.22";
  const Plan plan = plan_of(make_sample(sample));
  EXPECT_EQ(find_step(find_task(plan, "prepare/m2")->steps, "packaged-nginx"), nullptr);
  EXPECT_NE(find_step(find_task(plan, "prepare/m2")->steps, "foreign-nginx"), nullptr);
  EXPECT_NE(find_step(find_task(plan, "prepare/m1")->steps, "packaged-nginx"), nullptr);
}

/// Whatever a run that ended early has left, such as the mirror's keys on a deploy host that is a control
/// plane: what was there before any package of ours is somebody's.
TEST(MakePlanPrepare, LeavesSomebodysOwnWebServerAloneInTheNextRun) {
  SampleSite sample = sample_site();
  Facts& facts = sample.facts("m2");
  facts.packages["nginx"] = "1.22";
  const auto leaves_alone = [&] {
    const Plan plan = plan_of(make_sample(sample));
    return find_step(find_task(plan, "prepare/m2")->steps, "packaged-nginx") == nullptr;
  };
  facts.paths["/etc/sealift"] = true;
  EXPECT_TRUE(leaves_alone());
  facts.paths["/etc/sealift/packages-begun"] = true;
  EXPECT_FALSE(leaves_alone());
  facts.paths["/etc/sealift/foreign-nginx"] = true;
  EXPECT_TRUE(leaves_alone());
}

TEST(MakePlanPrepare, MarksAHostBeforeItsPackages) {
  SampleSite sample = sample_site();
  sample.facts("m2").packages["nginx"] = "1.22";
  const Plan plan = plan_of(make_sample(sample));
  const auto& steps = find_task(plan, "prepare/m2")->steps;
  ASSERT_GE(steps.size(), 3U);
  EXPECT_EQ(steps[1].id, "prepare/m2/foreign-nginx");
  EXPECT_EQ(steps[2].id, "prepare/m2/packages-begun");
}

TEST(MakePlanPrepare, OpensTheFirewallsThatAreActive) {
  SampleSite sample = sample_site();
  sample.facts("m2").firewalls = {"firewalld", "ufw", "nftables"};
  sample.facts("deploy").firewalls = {"ufw"};
  const Plan plan = plan_of(make_sample(sample));
  const auto& steps = find_task(plan, "prepare/m2")->steps;
  EXPECT_EQ(std::get<WriteFile>(find_step(steps, "firewalld-input")->action).path,
            "/etc/firewalld/policies/sealift.xml");
  EXPECT_THAT(std::get<installer::Run>(find_step(steps, "firewalld")->action).restart_on,
              ElementsAre("prepare/m2/firewalld-input", "prepare/m2/firewalld-forward"));
  EXPECT_THAT(std::get<FileBlock>(find_step(steps, "ufw-rules")->action).content,
              HasSubstr("-A sealift-input -s 192.168.2.11 -j ACCEPT\n"));
  // Never `ufw reload`: it breaks transfers that run.
  const auto& ufw = std::get<installer::Run>(find_step(steps, "ufw")->action);
  EXPECT_THAT(ufw.arguments, ElementsAre("iptables-restore", "--wait", "--noflush"));
  EXPECT_THAT(ufw.restart_on, ElementsAre("prepare/m2/ufw-rules"));
  EXPECT_THAT(std::get<installer::Run>(find_step(steps, "ufw-forward")->action).arguments,
              ElementsAre("iptables", "--wait", "--append", "ufw-after-forward", "-j", "sealift-forward"));
  EXPECT_EQ(find_step(find_task(plan, "prepare/m1")->steps, "firewalld"), nullptr);
  const auto& mirror = find_task(plan, "mirror/deploy")->steps;
  EXPECT_EQ(std::get<FileBlock>(find_step(mirror, "ufw-rules")->action).name, "sealift-mirror-firewall");
  EXPECT_EQ(find_step(mirror, "ufw-forward"), nullptr);
  sample.cluster.firewall = false;
  const Plan left_alone = plan_of(make_sample(sample));
  EXPECT_EQ(find_step(find_task(left_alone, "prepare/m2")->steps, "ufw"), nullptr);
  EXPECT_EQ(find_step(find_task(left_alone, "mirror/deploy")->steps, "ufw"), nullptr);
}

}  // namespace
}  // namespace sealift::installer
