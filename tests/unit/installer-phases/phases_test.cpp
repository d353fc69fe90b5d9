#include "installer/phases/phases.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/phases/steps.hpp"
#include "installer/plan/supply.hpp"
#include "sample_site.hpp"

namespace sealift::installer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

Site make_sample(SampleSite sample) {
  Site site;
  site.cluster = sample.cluster;
  site.cluster_id = "0123";
  site.contents = merge_contents({&sample.contents});
  site.kubernetes = ReleaseVersion::parse(sample.contents.kubernetes_version).value();
  site.repository_key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n";
  for (const auto& [name, report] : sample.hosts) site.facts[name] = report.facts;
  site.deploy = "deploy";
  site.mirror = {.address = "192.168.2.5",
                 .ca_pem = "-----BEGIN CERTIFICATE-----\n",
                 .program = "/root/sealift",
                 .bundles = {"/root/k8s.tar"},
                 .bundles_state = "sha256:01 inode 1 mtime 1",
                 .keys = {{"sealift.pub", "key"}}};
  site.membership = find_membership(site.cluster, site.facts);
  site.secrets = {"abcdef.0123456789abcdef", std::string(64, 'b')};
  site.router_id = 100;
  return site;
}

/// All hosts are members.
SampleSite installed() {
  SampleSite sample = sample_site();
  for (const Host& host : sample.cluster.hosts) {
    Facts& facts = sample.facts(host.name);
    facts.paths = {
        {kMemberMark, true}, {kKubeletConfig, true}, {kAdminConfig, host.has(Role::control_plane)}};
    facts.kubernetes_files = {kKubeletConfig};
    facts.journal_cluster_name = "prod";
  }
  return sample;
}

const Task* find_task(const Plan& plan, const std::string& id) {
  const auto found =
      std::find_if(plan.tasks.begin(), plan.tasks.end(), [&](const Task& task) { return task.id == id; });
  return found == plan.tasks.end() ? nullptr : &*found;
}

const Step* find_step(const std::vector<Step>& steps, const std::string& name) {
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&](const Step& step) { return step.id.ends_with("/" + name); });
  return found == steps.end() ? nullptr : &*found;
}

std::vector<Step> joined_steps(const Plan& plan, const std::string& host) {
  Outputs outputs;
  outputs.set("init/m1/ca", "-----BEGIN CERTIFICATE-----\n");
  return find_task(plan, "join/" + host)->make_steps(outputs).value();
}

Plan plan_of(const Site& site) {
  auto plan = make_plan(site);
  EXPECT_TRUE(plan) << plan.error().message();
  const Status valid = check_plan(*plan, {"m1", "m2", "m3", "w1", "deploy"});
  EXPECT_TRUE(valid) << valid.error().message();
  return *plan;
}

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

TEST(MakePlan, NeitherInitialisesNorJoinsAnInstalledCluster) {
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

TEST(MakePlan, TakesBackAHalfMadeFirstControlPlane) {
  SampleSite sample = sample_site();
  sample.facts("m1").kubernetes_files = {"/etc/kubernetes/manifests/etcd.yaml"};
  const Plan plan = plan_of(make_sample(sample));
  ASSERT_NE(find_task(plan, "init/m1/reset"), nullptr);
  EXPECT_THAT(find_task(plan, "init/m1")->after, Contains("init/m1/reset"));
}

TEST(MakePlan, NeverResetsAMember) {
  SampleSite sample = installed();
  sample.facts("m3").paths[kMemberMark] = false;  // its join was interrupted
  const Plan plan = plan_of(make_sample(sample));
  for (const Task& task : plan.tasks)
    EXPECT_EQ(find_step(task.steps, "reset") != nullptr, task.host == "m3" && task.phase == "init")
        << task.id;
  EXPECT_EQ(find_step(find_task(plan, "join/m2")->steps, "kubeadm"), nullptr);
  EXPECT_NE(find_step(joined_steps(plan, "m3"), "kubeadm"), nullptr);
}

TEST(MakePlan, ClearsUpAfterAJoinWhoseInstallerWasKilled) {
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

TEST(MakePlan, RemovesTheEtcdMemberOfAnInterruptedJoinFirst) {
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

/// nginx.conf as the task writes it.
std::string balanced(const Task* task) {
  if (task == nullptr) return "";
  const auto steps = task->make_steps ? task->make_steps(Outputs()).value() : task->steps;
  return std::get<WriteFile>(find_step(steps, "nginx")->action).content;
}

TEST(MakePlan, BalancesToAnApiServerOnceItIsReady) {
  SampleSite sample = sample_site();
  const Plan first = plan_of(make_sample(sample));
  EXPECT_THAT(balanced(find_task(first, "balancer/m3")),
              AllOf(HasSubstr("192.168.2.11:6443"), Not(HasSubstr("192.168.2.12:6443"))));
  EXPECT_THAT(balanced(find_task(first, "join/m3/balancer-m2")),
              AllOf(HasSubstr("192.168.2.12:6443"), Not(HasSubstr("192.168.2.13:6443"))));
  EXPECT_THAT(find_task(first, "join/m3/balancer-m2")->after, Contains("join/m1/ready-m2"));
  EXPECT_THAT(find_task(first, "join/m1/ready-m2")->after, Contains("join/m2"));
  EXPECT_THAT(balanced(find_task(first, "join/m3/balancer-m3")), HasSubstr("192.168.2.13:6443"));
  sample = installed();
  sample.facts("m3").paths[kMemberMark] = false;
  EXPECT_THAT(balanced(find_task(plan_of(make_sample(sample)), "balancer/m1")),
              AllOf(HasSubstr("192.168.2.12:6443"), Not(HasSubstr("192.168.2.13:6443"))));
}

TEST(MakePlan, LetsTheNextRunReloadABalancerThatWasKilledBeforeItsReload) {
  const Plan plan = plan_of(make_sample(sample_site()));
  const auto joined = find_task(plan, "join/m3/balancer-m2")->make_steps(Outputs()).value();
  const Step* file = find_step(joined, "nginx");
  const Step* service = find_step(find_task(plan, "balancer/m3")->steps, "nginx-service");
  // The file's step is the one that the next run's service looks at.
  EXPECT_THAT(std::get<SystemdUnit>(service->action).reload_on, ElementsAre(file->id));
  EXPECT_EQ(find_step(joined, "nginx-service")->id, service->id);
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

TEST(MakePlan, EndsOnlyWhenOneBalancerHoldsTheAddress) {
  const Plan plan = plan_of(make_sample(sample_site()));
  EXPECT_THAT(find_task(plan, "verify/deploy/kubeconfig")->after, Contains("verify/m1/one-address"));
  const auto holders = [&](const std::map<std::string, std::string>& told) {
    Outputs outputs;
    outputs.set("verify/m1/members", "{}");
    for (const char* host : {"m1", "m2", "m3"}) {
      const auto found = told.find(host);
      outputs.set(std::string("verify/") + host + "/address", found == told.end() ? "" : found->second);
    }
    const auto made = find_task(plan, "verify/m1/one-address")->make_steps(outputs);
    return made ? std::string("well") : made.error().message();
  };
  EXPECT_EQ(holders({{"m2", "2: eth0 inet 192.168.2.100/32"}}), "well");
  EXPECT_THAT(holders({}), HasSubstr("is on no host"));
  EXPECT_EQ(find_task(plan, "verify/m1/one-address")->make_steps(Outputs()).error().code(),
            ErrorCode::precondition);  // not known yet
  EXPECT_THAT(holders({{"m1", "2: eth0"}, {"m3", "2: eth0"}}),
              AllOf(HasSubstr("192.168.2.100 is on m1, m3"), HasSubstr("between m1, m2, m3")));
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
              HasSubstr("server: https://192.168.2.100:16443\n"));
}

TEST(MakePlan, AsksTheClusterWhetherAManifestAndLabelsAreThere) {
  const Plan plan = plan_of(make_sample(sample_site()));
  const auto& labels =
      std::get<installer::Run>(find_step(find_task(plan, "network/m1/labels")->steps, "labels-w1")->action);
  EXPECT_THAT(labels.check, IsSupersetOf({"--field-selector=metadata.name=w1", "disk=ssd"}));
  EXPECT_EQ(labels.check_expect, "node/w1");
}

TEST(MakePlan, ServesABundleThatWasReplacedUnderItsName) {
  Site site = make_sample(sample_site());
  const auto unit = [](const Plan& plan) {
    return std::get<WriteFile>(find_step(find_task(plan, "mirror/deploy")->steps, "unit")->action).content;
  };
  const std::string before = unit(plan_of(site));
  site.mirror.bundles_state = "sha256:01 inode 2 mtime 1";
  EXPECT_NE(unit(plan_of(site)), before);
}

TEST(MakePlan, ServesALonelyHostWithTimesyncd) {
  SampleSite sample = sample_site();
  sample.cluster.hosts.erase(sample.cluster.hosts.begin() + 1, sample.cluster.hosts.end());
  sample.facts("m1").packages["systemd-timesyncd"] = "255";
  const auto plan = make_plan(make_sample(sample));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(find_step(find_task(*plan, "prepare/m1")->steps, "timesyncd"), nullptr);
}

TEST(MakePlan, LeavesSomebodysOwnWebServerAlone) {
  SampleSite sample = sample_site();
  sample.facts("m2").packages["nginx"] = "1.22";
  const Plan plan = plan_of(make_sample(sample));
  EXPECT_EQ(find_step(find_task(plan, "prepare/m2")->steps, "packaged-nginx"), nullptr);
  EXPECT_NE(find_step(find_task(plan, "prepare/m2")->steps, "foreign-nginx"), nullptr);
  EXPECT_NE(find_step(find_task(plan, "prepare/m1")->steps, "packaged-nginx"), nullptr);
}

TEST(MakePlan, OpensTheFirewallsThatAreActive) {
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
  EXPECT_EQ(find_step(find_task(plan, "prepare/m1")->steps, "firewalld"), nullptr);
  const auto& mirror = find_task(plan, "mirror/deploy")->steps;
  EXPECT_EQ(std::get<FileBlock>(find_step(mirror, "ufw-rules")->action).name, "mirror-firewall");
  sample.cluster.firewall = false;
  const Plan left_alone = plan_of(make_sample(sample));
  EXPECT_EQ(find_step(find_task(left_alone, "prepare/m2")->steps, "ufw"), nullptr);
  EXPECT_EQ(find_step(find_task(left_alone, "mirror/deploy")->steps, "ufw"), nullptr);
}

TEST(MakePlan, KeepsTimesyncdWhereItIs) {
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

TEST(MakePlan, GivesEveryBalancerAnotherPriorityAndTheSameRouter) {
  const Plan plan = plan_of(make_sample(sample_site()));
  std::set<std::string> priorities;
  for (const char* host : {"m1", "m2", "m3"}) {
    const auto& file = std::get<WriteFile>(
        find_step(find_task(plan, "balancer/" + std::string(host))->steps, "keepalived")->action);
    const std::size_t at = file.content.find("  priority ");
    priorities.insert(file.content.substr(at, file.content.find('\n', at) - at));
    EXPECT_THAT(file.content, HasSubstr("virtual_router_id 100\n"));
    EXPECT_THAT(file.content, HasSubstr("192.168.2.100/32 dev eth0"));
  }
  EXPECT_EQ(priorities.size(), 3U);
}

}  // namespace
}  // namespace sealift::installer
