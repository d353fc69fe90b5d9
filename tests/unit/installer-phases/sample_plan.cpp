#include "sample_plan.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "installer/plan/supply.hpp"

namespace sealift::installer {

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

}  // namespace sealift::installer
