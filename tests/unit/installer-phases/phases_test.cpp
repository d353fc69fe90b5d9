// The plan as a whole: its order, its secrets, how it ends.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_plan.hpp"

namespace sealift::installer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(MakePlan, HasThePhasesInTheirOrder) {
  std::vector<std::string> names;
  for (const Phase& phase : plan_of(make_sample(sample_site())).phases) names.push_back(phase.name);
  EXPECT_THAT(names, ElementsAre("preflight", "mirror", "prepare", "runtime", "balancer", "init", "join",
                                 "network", "verify"));
}

TEST(MakePlan, ChangesNoNodeBeforeTheMirrorServes) {
  const Plan plan = plan_of(make_sample(sample_site()));
  for (const Task& task : plan.tasks)
    if (task.phase == "prepare") {
      EXPECT_THAT(task.after, Contains("mirror/deploy")) << task.id;
    }
}

TEST(MakePlan, BeginsTheClusterOnlyWhenEveryNodeHasPulled) {
  const Plan plan = plan_of(make_sample(sample_site()));
  for (const char* host : {"m1", "m2", "m3", "w1"})
    EXPECT_THAT(find_task(plan, "init/m1")->after, Contains("runtime/" + std::string(host) + "/sandbox"));
}

TEST(MakePlan, JoinsControlPlanesOneByOneAndWorkersBesideTheLast) {
  const Plan plan = plan_of(make_sample(sample_site()));
  EXPECT_THAT(find_task(plan, "join/m2")->after, Contains("init/m1"));
  EXPECT_THAT(find_task(plan, "join/m3")->after, Contains("join/m2"));
  EXPECT_THAT(find_task(plan, "join/w1")->after, Contains("join/m2"));
  EXPECT_THAT(find_task(plan, "join/w1")->after, Not(Contains("join/m3")));
}

TEST(MakePlan, KeepsSecretsOutOfCommandLinesAndOpenFiles) {
  const Site site = make_sample(sample_site());
  const Plan plan = plan_of(site);
  std::vector<Step> steps;
  for (const Task& task : plan.tasks) steps.insert(steps.end(), task.steps.begin(), task.steps.end());
  for (const char* host : {"m2", "m3", "w1"}) {
    const auto more = joined_steps(plan, host);
    steps.insert(steps.end(), more.begin(), more.end());
  }
  std::size_t secret_files = 0;
  for (const Step& step : steps) {
    EXPECT_THAT(describe(step.action), Not(HasSubstr(site.secrets.token))) << step.id;
    if (const auto* run = std::get_if<installer::Run>(&step.action))
      for (const std::string& argument : run->arguments) {
        EXPECT_THAT(argument, Not(HasSubstr(site.secrets.token.substr(7)))) << step.id;
        EXPECT_THAT(argument, Not(HasSubstr(site.secrets.certificate_key))) << step.id;
      }
    const auto* file = std::get_if<WriteFile>(&step.action);
    if (file == nullptr || file->content.find(site.secrets.token) == std::string::npos) continue;
    ++secret_files;
    EXPECT_EQ(file->secrecy, Secrecy::secret) << step.id;
    EXPECT_EQ(file->mode, 0600U) << step.id;
  }
  EXPECT_EQ(secret_files, 4U);
}

TEST(MakePlan, RedactsWhatKubeadmPrints) {
  const Plan plan = plan_of(make_sample(sample_site()));
  const auto& run = std::get<installer::Run>(find_step(find_task(plan, "init/m1")->steps, "kubeadm")->action);
  EXPECT_THAT(run.redact, Contains("abcdef.0123456789abcdef"));
  EXPECT_THAT(run.redact, Contains(std::string(64, 'b')));
}

TEST(MakePlan, LeavesTheDnsAddOnOutWhenAskedTo) {
  const Plan plan = plan_of(make_sample(sample_site()));
  const auto& run = std::get<installer::Run>(find_step(find_task(plan, "init/m1")->steps, "kubeadm")->action);
  EXPECT_THAT(run.arguments, Contains("--skip-phases=addon/coredns"));
  SampleSite later = sample_site();
  later.contents.kubernetes_version = "v1.32.3";
  const Plan newer = plan_of(make_sample(later));
  const auto& other =
      std::get<installer::Run>(find_step(find_task(newer, "init/m1")->steps, "kubeadm")->action);
  EXPECT_THAT(other.arguments, Not(Contains("--skip-phases=addon/coredns")));
}

TEST(MakePlan, TakesTheStorageRequestFromTheEtcdOfOldReleases) {
  const auto patched = [](const std::vector<Step>& steps) {
    const auto& run = std::get<installer::Run>(find_step(steps, "kubeadm")->action);
    const Step* file = find_step(steps, "etcd-patch");
    const bool told =
        std::find(run.arguments.begin(), run.arguments.end(),
                  "--experimental-patches=/etc/kubernetes/sealift/patches") != run.arguments.end();
    EXPECT_EQ(told, file != nullptr);
    return told;
  };
  SampleSite site = sample_site();
  const Plan old = plan_of(make_sample(site));
  EXPECT_TRUE(patched(find_task(old, "init/m1")->steps));
  EXPECT_TRUE(patched(joined_steps(old, "m2")));
  EXPECT_FALSE(patched(joined_steps(old, "w1")));
  site.contents.kubernetes_version = "v1.22.0";
  EXPECT_FALSE(patched(find_task(plan_of(make_sample(site)), "init/m1")->steps));
}

TEST(MakePlan, RestartsTheFirstApiServerOfOldReleasesOnceOnly) {
  SampleSite sample = sample_site();
  const Plan old = plan_of(make_sample(sample));
  ASSERT_NE(find_task(old, "network/m1/restart"), nullptr);
  // The others serve by then, and nothing asks any more.
  EXPECT_THAT(find_task(old, "network/m1/restart-look")->after,
              IsSupersetOf({"join/m3", "join/m1/balancer-m2", "network/m1/revoke"}));
  Site newer = make_sample(sample);
  newer.kubernetes = ReleaseVersion{1, 22, 0};
  EXPECT_EQ(find_task(plan_of(newer), "network/m1/restart"), nullptr);
  sample = installed();
  sample.facts("m3").paths[kMemberMark] = false;  // etcd grows from two to three
  EXPECT_EQ(find_task(plan_of(make_sample(sample)), "network/m1/restart"), nullptr);
  sample.facts("m1").paths[kStaleWatchers] = true;  // killed before it came to that
  EXPECT_NE(find_task(plan_of(make_sample(sample)), "network/m1/restart"), nullptr);
}

TEST(MakePlan, RoutesEachNodeToTheOthersPods) {
  const Plan plan = plan_of(make_sample(sample_site()));
  Outputs outputs;
  outputs.set("network/m1/ranges", "m1 10.244.0.0/24\nm2 10.244.1.0/24\nm3 10.244.2.0/24\nw1 10.244.3.0/24");
  const auto steps = find_task(plan, "network/w1")->make_steps(outputs).value();
  const auto& unit = std::get<WriteFile>(find_step(steps, "routes-unit")->action);
  EXPECT_THAT(unit.content, HasSubstr("ip route replace 10.244.1.0/24 via 192.168.2.12 proto 83\n"));
  EXPECT_THAT(unit.content, Not(HasSubstr("10.244.3.0/24")));
  outputs.set("network/m1/ranges", "m1 10.244.0.0/24\nm2 \nm3 10.244.2.0/24\nw1 10.244.3.0/24");
  EXPECT_FALSE(find_task(plan, "network/w1")->make_steps(outputs));
}

TEST(MakePlan, EndsOnlyWhenEtcdHasExactlyTheControlPlanes) {
  const Plan plan = plan_of(make_sample(sample_site()));
  Outputs outputs;
  outputs.set("verify/m1/members",
              R"({"members":[{"ID":1,"name":"m1"},{"ID":2,"name":"m2"},{"ID":3,"name":"m3"}]})");
  EXPECT_TRUE(find_task(plan, "verify/m1/members")->make_steps(outputs));
  outputs.set(
      "verify/m1/members",
      R"({"members":[{"ID":1,"name":"m1"},{"ID":2,"name":"m2"},{"ID":3,"name":"m3","isLearner":true}]})");
  EXPECT_FALSE(find_task(plan, "verify/m1/members")->make_steps(outputs));
}

TEST(MakePlan, AppliesManifestsInTheirOrderOnceThereAreNodes) {
  SampleSite sample = sample_site("manifests: [second, first]\n");
  for (const char* name : {"first", "second"})
    sample.contents.files.push_back({std::string("files/manifests/") + name + ".yaml",
                                     digest_of(std::string_view(name)), 1, "application/yaml", 0644,
                                     "manifest", ""});
  const Plan plan = plan_of(make_sample(sample));
  const Task* task = find_task(plan, "network/m1/manifests");
  ASSERT_NE(task, nullptr);
  EXPECT_THAT(task->after, IsSupersetOf({"join/m3", "join/w1"}));
  std::vector<std::string> ids;
  for (const Step& step : task->steps) ids.push_back(step.id);
  EXPECT_THAT(ids, ElementsAre("network/m1/manifest-second", "network/m1/apply-second",
                               "network/m1/manifest-first", "network/m1/apply-first"));
}

TEST(MakePlan, GivesTheDeployHostAKubeconfigThatNeedsNoNames) {
  SampleSite sample = sample_site();
  sample.cluster.endpoint.name = "api.prod.example";
  Outputs outputs;
  outputs.set("verify/m1/admin", "- cluster:\n    server: https://api.prod.example:16443\n  name: prod\n");
  const auto steps = find_task(plan_of(make_sample(sample)), "verify/deploy/kubeconfig")->make_steps(outputs);
  EXPECT_THAT(std::get<WriteFile>(find_step(*steps, "admin-config")->action).content,
              HasSubstr("    server: https://192.168.2.100:16443\n    tls-server-name: api.prod.example\n"));
}

TEST(MakePlan, AsksTheClusterWhetherAManifestAndLabelsAreThere) {
  const Plan plan = plan_of(make_sample(sample_site()));
  const auto& labels =
      std::get<installer::Run>(find_step(find_task(plan, "network/m1/labels")->steps, "labels-w1")->action);
  EXPECT_THAT(labels.check, IsSupersetOf({"--field-selector=metadata.name=w1", "disk=ssd"}));
  EXPECT_EQ(labels.check_expect, "node/w1");
}

}  // namespace
}  // namespace sealift::installer
