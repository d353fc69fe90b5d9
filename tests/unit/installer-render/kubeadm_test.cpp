#include "installer/render/kubeadm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.hpp"

namespace sealift::installer {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

const JoinSecrets kSecrets{"abc123.0123456789abcdef", std::string(64, 'a')};
const std::string kOverrides = R"(kubeadm:
  ClusterConfiguration: {apiServer: {extraArgs: {audit-log-maxage: "30"}}}
  InitConfiguration: {nodeRegistration: {kubeletExtraArgs: [{name: v, value: "2"}]}}
  KubeletConfiguration: {maxPods: 60, imageGCLowThresholdPercent: 70}
kubernetes: {certificate_sans: [api.example.org], features: {Gate: true}}
)";

TEST(RenderKubeadmInit, GoldenByApiVersion) {
  const Cluster cluster = sample_cluster();
  for (const char* release : {"1.20.2", "1.30.1", "1.32.3"})
    expect_golden(fmt::format("kubeadm-init-{}.yaml", release),
                  render_kubeadm_init(cluster, cluster.hosts[0], version(release), kSecrets));
}

TEST(RenderKubeadmInit, GoldenWithOverrides) {
  const Cluster cluster = sample_cluster(kOverrides);
  for (const char* release : {"1.20.2", "1.32.3"})
    expect_golden(fmt::format("kubeadm-init-overrides-{}.yaml", release),
                  render_kubeadm_init(cluster, cluster.hosts[0], version(release), kSecrets));
}

TEST(RenderKubeadmJoin, GoldenByRoleAndVersion) {
  const Cluster cluster = sample_cluster();
  for (const char* release : {"1.20.2", "1.32.3"}) {
    expect_golden(fmt::format("kubeadm-join-control-plane-{}.yaml", release),
                  render_kubeadm_join(cluster, cluster.hosts[1], version(release), kSecrets,
                                      "/etc/kubernetes/sealift/discovery.conf"));
    expect_golden(fmt::format("kubeadm-join-worker-{}.yaml", release),
                  render_kubeadm_join(cluster, cluster.hosts[3], version(release), kSecrets,
                                      "/etc/kubernetes/sealift/discovery.conf"));
  }
}

// HA.md 1.10 #4: the floating address must never become an etcd or API server's own.
TEST(RenderKubeadm, AdvertisesTheNodesOwnAddress) {
  const Cluster cluster = sample_cluster();
  for (const Host& host : cluster.hosts) {
    if (!host.has(Role::control_plane)) continue;
    const std::string text = render_kubeadm_join(cluster, host, version("1.32.3"), kSecrets, "/d").value();
    EXPECT_THAT(text, HasSubstr("advertiseAddress: \"" + host.address.str() + "\""));
    EXPECT_THAT(text, Not(HasSubstr("advertiseAddress: \"192.168.2.100\"")));
  }
}

TEST(RenderKubeadm, NeverSkipsTheVerificationOfTheCa) {
  const Cluster cluster = sample_cluster();
  EXPECT_THAT(render_kubeadm_join(cluster, cluster.hosts[3], version("1.20.2"), kSecrets, "/d").value(),
              Not(HasSubstr("unsafeSkipCAVerification")));
}

TEST(CertificateSans, HoldEveryWayToTheApi) {
  const auto sans = certificate_sans(sample_cluster(kOverrides));
  for (const char* name :
       {"192.168.2.100", "api.prod.example", "m1", "m2", "m3", "192.168.2.11", "192.168.2.12", "192.168.2.13",
        "127.0.0.1", "::1", "localhost", "api.example.org"})
    EXPECT_THAT(sans, Contains(name));
}

TEST(MakeJoinSecrets, AreWellFormedAndNeverTheSame) {
  const JoinSecrets one = make_join_secrets();
  EXPECT_THAT(one.token, MatchesRegex("[a-z0-9]{6}\\.[a-z0-9]{16}"));
  EXPECT_THAT(one.certificate_key, MatchesRegex("[0-9a-f]{64}"));
  EXPECT_NE(one.token, make_join_secrets().token);
}

TEST(RenderKubeadmInit, LeavesTheDnsAddonOutBesideWhatElseIsSkipped) {
  const Cluster cluster = sample_cluster(
      "dns: {enabled: false}\nkubeadm: {InitConfiguration: {skipPhases: [addon/kube-proxy]}}\n");
  EXPECT_THAT(render_kubeadm_init(cluster, cluster.hosts[0], version("1.32.3"), kSecrets).value(),
              HasSubstr("skipPhases:\n- addon/kube-proxy\n- addon/coredns\n"));
  // v1beta2 has no such member: there a flag of kubeadm says it.
  EXPECT_THAT(render_kubeadm_init(cluster, cluster.hosts[0], version("1.20.2"), kSecrets).value(),
              Not(HasSubstr("addon/coredns")));
}

TEST(RenderKubeadmInit, KeepsItsOwnArgumentsBesideRepeatedOnes) {
  const Cluster cluster = sample_cluster(
      "kubeadm: {InitConfiguration: {nodeRegistration: {kubeletExtraArgs: [{name: v, value: 2}, "
      "{name: v, value: 3}]}}}\n");
  EXPECT_THAT(
      render_kubeadm_init(cluster, cluster.hosts[0], version("1.32.3"), kSecrets).value(),
      HasSubstr(
          "  kubeletExtraArgs:\n  - name: node-ip\n    value: \"192.168.2.11\"\n  - name: v\n    value: "
          "\"2\"\n  - name: v\n    value: \"3\"\n"));
  const auto older = render_kubeadm_init(cluster, cluster.hosts[0], version("1.30.1"), kSecrets);
  ASSERT_FALSE(older);
  EXPECT_THAT(
      older.error().message(),
      HasSubstr("kubeadm.InitConfiguration.nodeRegistration.kubeletExtraArgs: argument 'v' is given twice"));
}

TEST(Discovery, Golden) {
  expect_golden("discovery.conf", render_discovery(sample_cluster(), "-----BEGIN CERTIFICATE-----\n"));
}

TEST(TokenSecret, Golden) {
  expect_golden("token-secret.yaml", render_token_secret(kSecrets, "2026-11-21T02:00:00Z"));
}

}  // namespace
}  // namespace sealift::installer
