#include "installer/plan/supply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/plan/membership.hpp"
#include "sample_site.hpp"

namespace sealift::installer {
namespace {

using ::testing::ElementsAre;

TEST(PackagesFor, GivesBalancersTheirsAndWorkersNone) {
  SampleSite site = sample_site();
  const auto control =
      packages_for(site.contents, site.facts("m1"), site.cluster, site.cluster.hosts[0]).value();
  EXPECT_TRUE(has_package(control, "keepalived"));
  EXPECT_TRUE(has_package(control, "containerd"));
  const auto worker =
      packages_for(site.contents, site.facts("w1"), site.cluster, site.cluster.hosts[3]).value();
  EXPECT_FALSE(has_package(worker, "nginx"));
  EXPECT_TRUE(has_package(worker, "chrony"));
}

TEST(PackagesFor, RefusesAMachineThatLacksItsBaseline) {
  SampleSite site = sample_site();
  site.contents.package_sets[0].install.push_back("iptables");
  const auto missing = packages_for(site.contents, site.facts("w1"), site.cluster, site.cluster.hosts[3]);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::precondition);
  site.facts("w1").packages["iptables"] = "1.8.9-2";
  EXPECT_TRUE(packages_for(site.contents, site.facts("w1"), site.cluster, site.cluster.hosts[3]));
}

TEST(ContainerdVersion, ComesFromThePackageOrTheReleaseName) {
  SampleSite site = sample_site();
  EXPECT_EQ(containerd_version(site.contents, site.facts("m1"))->str(), "1.6.20");
  site.contents.files.push_back({"files/containerd/containerd-2.0.4-linux-amd64.tar.gz",
                                 digest_of(std::string_view("c")), 1, "", 0644, "containerd", "linux/amd64"});
  EXPECT_EQ(containerd_version(site.contents, site.facts("m1"))->str(), "2.0.4");
}

TEST(ImagesFor, PutsTheSandboxFirstAndKeepsControlPlaneImagesOffWorkers) {
  SampleSite site = sample_site();
  EXPECT_EQ(images_for(site.contents, site.cluster.hosts[0])->size(), 6U);
  EXPECT_THAT(*images_for(site.contents, site.cluster.hosts[3]),
              ElementsAre("k8s.gcr.io/pause:3.2", "k8s.gcr.io/kube-proxy:v1.20.2"));
}

TEST(MergeContents, LetsTheLaterBundleWin) {
  const SampleSite site = sample_site();
  bundle::Contents delta;
  delta.name = "delta";
  delta.kubernetes_version = "v1.20.15";
  delta.files = {{"files/bin/linux/amd64/kubelet", digest_of(std::string_view("new")), 3, "", 0755, "kubelet",
                  "linux/amd64"}};
  const auto merged = merge_contents({&site.contents, &delta});
  EXPECT_EQ(merged.kubernetes_version, "v1.20.15");
  EXPECT_EQ(merged.files.size(), site.contents.files.size());
  EXPECT_EQ(merged.find_role("kubelet", "linux/amd64")->digest, digest_of(std::string_view("new")));
}

TEST(RepositoryKeys, AreOneForAllSetsInUse) {
  const auto bundle_of = [](const std::string& target, std::string_view key) {
    bundle::Contents contents;
    contents.name = "for-" + target;
    contents.package_sets.push_back({.target = target});
    contents.files = {{kRepositoryKey, digest_of(key), 3, "", 0644, "", ""}};
    return contents;
  };
  const auto debian = bundle_of("debian-12", "one");
  const auto ubuntu = bundle_of("ubuntu-24.04", "one");
  const auto others = bundle_of("ubuntu-24.04", "two");
  const bundle::Contents images_only;
  EXPECT_TRUE(check_repository_keys({&debian, &ubuntu, &images_only}));
  EXPECT_TRUE(check_repository_keys({&ubuntu, &others})) << "the first set is replaced";
  const Status status = check_repository_keys({&debian, &others});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), ::testing::HasSubstr("'for-debian-12': its packages for debian-12"));
}

TEST(FullImageName, CompletesLikeContainerd) {
  EXPECT_EQ(full_image_name("nginx"), "docker.io/library/nginx:latest");
  EXPECT_EQ(full_image_name("flannel/flannel:v1"), "docker.io/flannel/flannel:v1");
  EXPECT_EQ(full_image_name("quay.io/a/b"), "quay.io/a/b:latest");
  EXPECT_EQ(full_image_name("localhost:5000/a:1"), "localhost:5000/a:1");
}

TEST(Membership, NeedsTheMarkAndTheCredentials) {
  SampleSite site = sample_site();
  std::map<std::string, Facts> facts;
  for (const auto& [name, report] : site.hosts) facts[name] = report.facts;
  EXPECT_FALSE(find_membership(site.cluster, facts).initialised);
  EXPECT_EQ(find_membership(site.cluster, facts).leader, "m1");
  facts["m2"].paths = {{kMemberMark, true}, {kKubeletConfig, true}, {kAdminConfig, true}};
  facts["m2"].kubernetes_files = {kKubeletConfig};
  facts["m1"].kubernetes_files = {"/etc/kubernetes/manifests/etcd.yaml"};
  const Membership membership = find_membership(site.cluster, facts);
  EXPECT_TRUE(membership.initialised);
  EXPECT_EQ(membership.leader, "m2");
  EXPECT_THAT(membership.leftovers, ElementsAre("m1"));
  facts["m2"].paths[kKubeletConfig] = false;  // reset by hand
  facts["m2"].kubernetes_files.clear();
  EXPECT_FALSE(find_membership(site.cluster, facts).initialised);
}

TEST(Membership, TakesNothingBackFromAHostThatWasAMember) {
  SampleSite site = sample_site();
  std::map<std::string, Facts> facts;
  for (const auto& [name, report] : site.hosts) facts[name] = report.facts;
  facts["m1"].paths = {{kMemberMark, true}, {kKubeletConfig, true}, {kAdminConfig, false}};  // moved away
  facts["m1"].kubernetes_files = {kKubeletConfig, "/var/lib/etcd/member"};
  facts["m2"].paths = {{kMemberMark, false}, {kKubeletConfig, true}, {kAdminConfig, true}};
  facts["m2"].kubernetes_files = {kKubeletConfig};
  facts["m2"].newest_step = "done";  // our directory was removed
  facts["m3"].kubernetes_files = {kKubeletConfig};
  facts["m3"].newest_step = "begun";
  const Membership membership = find_membership(site.cluster, facts);
  EXPECT_FALSE(membership.initialised);
  EXPECT_THAT(membership.leftovers, ElementsAre("m3"));
  EXPECT_EQ(membership.damaged.at("m1"), kAdminConfig);
  EXPECT_EQ(membership.damaged.at("m2"), kMemberMark);
}

TEST(FindClusterId, RefusesTwoClustersOfOneName) {
  SampleSite site = sample_site();
  std::map<std::string, Facts> facts;
  for (const auto& [name, report] : site.hosts) facts[name] = report.facts;
  EXPECT_EQ(find_cluster_id(site.cluster, facts, "").value(), "");
  facts["m1"].journal_cluster_name = "prod";
  facts["m1"].journal_cluster_id = "one";
  EXPECT_EQ(find_cluster_id(site.cluster, facts, "").value(), "one");
  EXPECT_EQ(find_cluster_id(site.cluster, facts, "two").error().code(), ErrorCode::conflict);
}

}  // namespace
}  // namespace sealift::installer
