// Which hosts are members, which are to be taken back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/phases/steps.hpp"
#include "sample_plan.hpp"

namespace sealift::installer {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;

TEST(MakePlanMembership, NeitherInitialisesNorJoinsAnInstalledCluster) {
  const Plan plan = plan_of(make_sample(installed()));
  for (const Task& task : plan.tasks) {
    EXPECT_FALSE(task.phase == "join" && task.make_steps) << task.id;
    for (const Step& step : task.steps) {
      const auto* run = std::get_if<installer::Run>(&step.action);
      if (run == nullptr) continue;
      EXPECT_NE(run->check, kAlways) << step.id << " would run every time";
      EXPECT_EQ(run->mark, "") << step.id << " would make a member";
    }
  }
  ASSERT_NE(find_task(plan, "init/m1"), nullptr);
  EXPECT_EQ(find_step(find_task(plan, "init/m1")->steps, "kubeadm"), nullptr);
}

TEST(MakePlanMembership, TakesBackAHalfMadeFirstControlPlane) {
  SampleSite sample = sample_site();
  sample.facts("m1").kubernetes_files = {"/etc/kubernetes/manifests/etcd.yaml"};
  const Plan plan = plan_of(make_sample(sample));
  ASSERT_NE(find_task(plan, "init/m1/reset"), nullptr);
  EXPECT_THAT(find_task(plan, "init/m1")->after, Contains("init/m1/reset"));
}

TEST(MakePlanMembership, NeverResetsAMember) {
  SampleSite sample = installed();
  sample.facts("m3").paths[kMemberMark] = false;  // its join was interrupted
  const Plan plan = plan_of(make_sample(sample));
  for (const Task& task : plan.tasks)
    EXPECT_EQ(find_step(task.steps, "reset") != nullptr, task.host == "m3" && task.phase == "init")
        << task.id;
  EXPECT_EQ(find_step(find_task(plan, "join/m2")->steps, "kubeadm"), nullptr);
  EXPECT_NE(find_step(joined_steps(plan, "m3"), "kubeadm"), nullptr);
}

TEST(MakePlanMembership, ClearsUpAfterAJoinWhoseInstallerWasKilled) {
  const Plan plan = plan_of(make_sample(installed()));
  for (const char* host : {"m2", "m3", "w1"}) {
    ASSERT_NE(find_task(plan, std::string("join/") + host), nullptr);
    EXPECT_NE(find_step(find_task(plan, std::string("join/") + host)->steps, "forget"), nullptr);
  }
  EXPECT_NE(find_step(find_task(plan, "init/m1")->steps, "forget"), nullptr);
  Outputs outputs;
  outputs.set("network/m1/tokens", "");
  EXPECT_TRUE(find_task(plan, "network/m1/revoke")->make_steps(outputs)->empty());
  outputs.set("network/m1/tokens", "bootstrap-token-aaaaaa\nbootstrap-token-bbbbbb");
  const auto steps = find_task(plan, "network/m1/revoke")->make_steps(outputs).value();
  ASSERT_EQ(steps.size(), 1U);
  const auto& arguments = std::get<installer::Run>(steps[0].action).arguments;
  EXPECT_THAT(arguments, IsSupersetOf({"kubeadm-certs", "bootstrap-token-aaaaaa", "bootstrap-token-bbbbbb"}));
}

TEST(MakePlanMembership, RemovesTheEtcdMemberOfAnInterruptedJoinFirst) {
  SampleSite sample = installed();
  sample.facts("m3").paths[kMemberMark] = false;
  const Plan plan = plan_of(make_sample(sample));
  const Task* clean = find_task(plan, "init/m1/clean-m3");
  ASSERT_NE(clean, nullptr);
  // Out of etcd while it still votes, then off the host, and only then new credentials through the address.
  EXPECT_THAT(find_task(plan, "init/m3/reset")->after, Contains(clean->id));
  EXPECT_THAT(find_task(plan, "init/m1")->after, Contains("init/m3/reset"));
  EXPECT_THAT(find_task(plan, "join/m3")->after, Contains("init/m1"));
  Outputs outputs;
  outputs.set("init/m1/members-m3",
              R"({"members":[{"ID":10276657743932975437,"name":"m1","peerURLs":["https://192.168.2.11:2380"]},
    {"ID":255,"name":"","peerURLs":["https://192.168.2.13:2380"]}]})");
  const auto steps = clean->make_steps(outputs).value();
  ASSERT_NE(find_step(steps, "remove-member-ff"), nullptr);
  EXPECT_EQ(find_step(steps, "remove-member-8e9e05c52164694d"), nullptr);
  EXPECT_NE(find_step(steps, "remove-node-m3"), nullptr);
  EXPECT_NE(find_step(find_task(plan, "init/m1")->steps, "token"), nullptr);
}

}  // namespace
}  // namespace sealift::installer
