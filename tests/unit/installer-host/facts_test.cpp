// What a host tells of itself, on a small tree in place of its own.
#include "installer/host/facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/host/journal.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

using ::testing::ElementsAre;

class FactsTest : public testing::Test {
 protected:
  FactsTest() : directory_(std::move(*TemporaryDirectory::create("sealift-facts"))) {}
  void put(const std::string& path, const std::string& text) {
    const fs::path file = root() + path;
    ASSERT_TRUE(sealift::create_directories(file.parent_path()));
    ASSERT_TRUE(write_file_atomically(file, text));
  }
  std::string root() const { return directory_.path().string(); }
  Facts facts(const FactsRequest& request = {}) const { return gather_facts(request, root()); }

  TemporaryDirectory directory_;
};

TEST_F(FactsTest, FollowsResolvedToTheFileThatPodsWillGet) {
  put("/etc/resolv.conf", "nameserver 10.0.0.1\n");
  EXPECT_THAT(facts().nameservers, ElementsAre("10.0.0.1"));
  put("/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0\n");
  EXPECT_THAT(facts().nameservers, ElementsAre("127.0.0.53"));
  put("/run/systemd/resolve/resolv.conf", "# no server known\n");
  EXPECT_TRUE(facts().nameservers.empty());
  EXPECT_EQ(facts().resolv_conf, "/run/systemd/resolve/resolv.conf");
}

TEST_F(FactsTest, AnEmptyFileIsAsGoodAsNone) {
  put("/a/full", "x");
  put("/a/empty", "");
  EXPECT_THAT(facts({.paths = {"/a", "/a/full", "/a/empty", "/a/none"}}).paths,
              ::testing::ElementsAre(::testing::Pair("/a", true), ::testing::Pair("/a/empty", false),
                                     ::testing::Pair("/a/full", true), ::testing::Pair("/a/none", false)));
}

TEST_F(FactsTest, TellsTheVersionOfTheApiServerThatRuns) {
  EXPECT_EQ(facts().api_server_version, "");
  put("/etc/kubernetes/manifests/kube-apiserver.yaml",
      "    image: registry.k8s.io/kube-apiserver:v1.32.3\n    imagePullPolicy: IfNotPresent\n");
  EXPECT_EQ(facts().api_server_version, "v1.32.3");
}

TEST_F(FactsTest, TellsTheRouterIdOfItsKeepalived) {
  EXPECT_EQ(facts().router_id, 0U);
  put("/etc/keepalived/keepalived.conf", "vrrp_instance api {\n  virtual_router_id 51\n}\n");
  EXPECT_EQ(facts().router_id, 51U);
  put("/etc/keepalived/keepalived.conf", "virtual_router_id 5x\n");
  EXPECT_EQ(facts().router_id, 0U);
}

TEST_F(FactsTest, TellsHowFarTheNewestOfTheAskedStepsCame) {
  {
    const auto journal = Journal::open(root());
    ASSERT_TRUE(journal);
    ASSERT_TRUE((*journal)->claim({"prod", "01"}));
    ASSERT_TRUE((*journal)->begin("join/m1/kubeadm", "run", "f"));
    ASSERT_TRUE((*journal)->done("join/m1/kubeadm", "run", "f", {}));
    ASSERT_TRUE((*journal)->begin("init/m1/kubeadm", "run", "f"));
  }
  EXPECT_EQ(facts({.steps = {"join/m1/kubeadm"}}).newest_step, "done");
  EXPECT_EQ(facts({.steps = {"join/m1/kubeadm", "init/m1/kubeadm", "never"}}).newest_step, "begun");
  EXPECT_EQ(facts({.steps = {"never"}}).newest_step, "");
}

TEST_F(FactsTest, SaysWhyAJournalCannotBeRead) {
  put("/var/lib/sealift/journal/owner.json", "{");
  const Facts found = facts({});
  EXPECT_THAT(found.journal_error, testing::HasSubstr("owner.json"));
  EXPECT_EQ(found.journal_cluster_name, "");
}

TEST_F(FactsTest, TellsWhatTheClusterWasMadeWith) {
  put("/etc/kubernetes/admin.conf", "clusters:\n- cluster:\n    server: https://10.0.0.100:8443\n");
  put("/etc/kubernetes/manifests/kube-apiserver.yaml",
      "    - --service-cluster-ip-range=10.96.0.0/12\n    image: registry.k8s.io/kube-apiserver:v1.32.3\n");
  put("/etc/kubernetes/manifests/kube-controller-manager.yaml", "    - --cluster-cidr=10.244.0.0/16\n");
  const Facts found = facts({});
  EXPECT_EQ(found.api_url, "https://10.0.0.100:8443");
  EXPECT_EQ(found.api_server_version, "v1.32.3");
  EXPECT_EQ(found.service_range, "10.96.0.0/12");
  EXPECT_EQ(found.pod_range, "10.244.0.0/16");
}

}  // namespace
}  // namespace sealift::installer
