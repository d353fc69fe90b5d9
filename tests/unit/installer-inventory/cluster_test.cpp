#include "installer/inventory/cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;

const std::string kGood = R"(apiVersion: sealift/v1
kind: Cluster
metadata:
  name: prod
endpoint:
  mode: keepalived-nginx
  address: 192.168.2.100
  port: 16443
hosts:
  - {name: m1, address: 192.168.2.11, roles: [control-plane]}
  - {name: m2, address: 192.168.2.12, roles: [control-plane]}
  - {name: m3, address: 192.168.2.13, roles: [control-plane]}
  - {name: w1, address: 192.168.2.21, roles: [worker], labels: {disk: ssd}}
ssh:
  user: ubuntu
network:
  plugin: flannel
  pods: 10.244.0.0/16
  services: 10.96.0.0/12
)";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// What is wrong with the good file after one replacement.
Error error_of(const std::string& from, const std::string& to) {
  const auto result = parse_cluster(replaced(from, to), "cluster.yaml");
  EXPECT_FALSE(result) << to;
  return result ? Error(ErrorCode::internal, "accepted") : result.error();
}

TEST(ParseCluster, ReadsEveryShippedExample) {
  for (const char* name : {"ha-keepalived-nginx.yaml", "lab.yaml"}) {
    const auto text = read_file(fs::path(SEALIFT_SOURCE_DIR) / "manifests/clusters" / name, 1 << 20);
    ASSERT_TRUE(text);
    const auto cluster = parse_cluster(*text, name);
    ASSERT_TRUE(cluster) << cluster.error().message();
    EXPECT_THAT(cluster->warnings, ::testing::IsEmpty()) << name;
  }
}

TEST(ParseCluster, ReadsAllThatIsSaid) {
  const auto cluster = parse_cluster(kGood, "cluster.yaml");
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_EQ(cluster->name, "prod");
  EXPECT_EQ(cluster->endpoint.host_and_port(), "192.168.2.100:16443");
  ASSERT_EQ(cluster->hosts.size(), 4U);
  EXPECT_EQ(cluster->hosts[3].labels.at("disk"), "ssd");
  EXPECT_EQ(cluster->hosts[3].ssh.user, "ubuntu");
  EXPECT_EQ(cluster->network.plugin, "flannel");
  EXPECT_EQ(cluster->balancers().size(), 3U);
  EXPECT_TRUE(cluster->dns);
  EXPECT_TRUE(cluster->warnings.empty());
}

TEST(ParseCluster, DefaultsTheNetwork) {
  const auto cluster = parse_cluster(kGood.substr(0, kGood.find("network:")), "cluster.yaml");
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_TRUE(cluster->network.is_bridge());
  EXPECT_EQ(cluster->network.services.str(), "10.96.0.0/12");
}

TEST(ParseCluster, NamesLineColumnAndNearestKey) {
  const Error error = error_of("  port: 16443", "  prot: 16443");
  EXPECT_THAT(error.message(), HasSubstr("cluster.yaml:8:3"));
  EXPECT_THAT(error.message(), HasSubstr("port"));
}

TEST(ParseCluster, ListsModesAndSuggests) {
  const Error error = error_of("keepalived-nginx", "keepalive-nginx");
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_THAT(error.message(), HasSubstr("cluster.yaml:6:9"));
  EXPECT_THAT(error.message(), HasSubstr("local-haproxy"));
  EXPECT_THAT(error.message(), HasSubstr("did you mean 'keepalived-nginx'?"));
}

TEST(ParseCluster, SaysWhichModesAreNotThereYet) {
  for (const char* mode : {"keepalived-haproxy", "keepalived", "kube-vip", "local-nginx", "local-haproxy"}) {
    const Error error = error_of("keepalived-nginx", mode);
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << mode;
    EXPECT_THAT(error.message(), HasSubstr("not yet supported in this version"));
  }
  EXPECT_TRUE(parse_cluster(replaced("keepalived-nginx", "external"), "cluster.yaml"));
}

struct BadCase {
  const char* name;
  const char* from;
  const char* to;
  const char* message;
};

class RefusesCluster : public ::testing::TestWithParam<BadCase> {};

TEST_P(RefusesCluster, WithPlaceAndReason) {
  const Error error = error_of(GetParam().from, GetParam().to);
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_THAT(error.message(), HasSubstr("cluster.yaml:"));
  EXPECT_THAT(error.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, RefusesCluster,
    ::testing::Values(
        BadCase{"OtherApiVersion", "sealift/v1", "sealift/v2", "reads 'sealift/v1'"},
        BadCase{"OtherKind", "kind: Cluster", "kind: Bundle", "goes to 'sealift lock'"},
        BadCase{"DuplicateName", "name: m2", "name: m1", "two hosts are called 'm1'"},
        BadCase{"DuplicateAddress", "192.168.2.12", "192.168.2.11", "have the same address 192.168.2.11"},
        BadCase{"UpperCaseName", "name: m2", "name: M2", "'M2' is not a host name"},
        BadCase{"LongName", "name: m2",
                "name: a234567890123456789012345678901234567890123456789012345678901234", "at most 63"},
        BadCase{"NameWithDot", "name: m2", "name: m2.example", "is not a host name"},
        BadCase{"HostNameAsAddress", "192.168.2.12", "m2.example", "not a numeric IP address"},
        BadCase{"LoopbackAddress", "192.168.2.12", "127.0.0.1", "cannot be the address of a host"},
        BadCase{"PlaceholderAddress", "192.168.2.12", "0.0.0.0", "cannot be the address of a host"},
        BadCase{"MixedFamilies", "192.168.2.12", "2001:db8::1", "another family"},
        BadCase{"UnknownRole", "[worker]", "[wroker]", "did you mean 'worker'?"},
        BadCase{"NoRole", "[worker]", "[]", "needs roles"},
        BadCase{"EndpointIsAHost", "192.168.2.100", "192.168.2.11", "is the address of host 'm1'"},
        BadCase{"PortOfTheApiServer", "16443", "6443", "belongs to the API server"},
        BadCase{"PortOfEtcd", "16443", "2379", "belongs to etcd"},
        BadCase{"NodePort", "16443", "30443", "NodePort"}, BadCase{"PortZero", "16443", "0", "is not a port"},
        BadCase{"PodsOverServices", "10.244.0.0/16", "10.96.0.0/16", "overlaps network.pods"},
        BadCase{"HostsInPods", "10.244.0.0/16", "192.168.0.0/16", "contains the address 192.168.2.11"},
        BadCase{"PodsTooSmall", "10.244.0.0/16", "10.244.0.0/25", "too small"},
        BadCase{"PodsTooLarge", "pods: 10.244.0.0/16", "pods: 32.0.0.0/7", "a /8 is the largest"},
        BadCase{"PodsForFewerNodes", "10.244.0.0/16", "10.244.0.0/23", "has room for 2 nodes"},
        BadCase{"PodsWithHostBits", "10.244.0.0/16", "10.244.1.1/16", "did you mean 10.244.0.0/16?"},
        BadCase{"ServicesTooSmall", "10.96.0.0/12", "10.96.0.0/30", "must be a /12 to /28"},
        BadCase{"UnknownKubeadmDocument",
                "network:", "kubeadm: {ClusterConfig: {}}\nnetwork:", "unknown document 'ClusterConfig'"},
        BadCase{"KubeadmOwnedField",
                "network:", "kubeadm: {ClusterConfiguration: {kubernetesVersion: v1.2.3}}\nnetwork:",
                "Sealift decides it"},
        BadCase{"KubeadmOwnedFieldBelow",
                "network:", "kubeadm: {JoinConfiguration: {nodeRegistration: {name: x}}}\nnetwork:",
                "kubeadm.JoinConfiguration.nodeRegistration.name cannot be set here"},
        BadCase{"ArgumentsOfNoForm",
                "network:", "kubeadm: {ClusterConfiguration: {scheduler: {extraArgs: [v]}}}\nnetwork:",
                "kubeadm.ClusterConfiguration.scheduler.extraArgs: an entry without name and value"},
        BadCase{"KubeadmDocumentIsNoMap", "network:", "kubeadm: {InitConfiguration: 3}\nnetwork:", "map"},
        BadCase{"BadRouterId", "  port: 16443", "  port: 16443\n  virtual_router_id: 256", "1 to 255"},
        BadCase{"ManifestThatIsTheNetwork", "network:", "manifests: [flannel]\nnetwork:",
                "'flannel' is network.plugin and applied as such"},
        BadCase{"LabelThatIsAnOption", "labels: {disk: ssd}", "labels: {--server: a}",
                "'--server' is not a key for labels"},
        BadCase{"BadLabelValue", "labels: {disk: ssd}", "labels: {disk: solid state}",
                "'solid state' is not a value for labels"},
        BadCase{"BadTaintEffect", "labels: {disk: ssd}", "taints: [{key: a, effect: NoSchedul}]",
                "did you mean 'NoSchedule'?"}),
    [](const auto& test) { return test.param.name; });

TEST(ParseCluster, WarnsAboutEvenControlPlanes) {
  const auto cluster = parse_cluster(
      replaced("address: 192.168.2.13, roles: [control-plane]", "address: 192.168.2.13, roles: [worker]"),
      "c");
  ASSERT_TRUE(cluster) << cluster.error().message();
  ASSERT_EQ(cluster->warnings.size(), 1U);
  EXPECT_THAT(cluster->warnings[0], HasSubstr("2 control planes"));
}

TEST(ParseCluster, AllowsTheApiPortOnDedicatedBalancers) {
  auto text = replaced("port: 16443", "port: 6443");
  text.insert(text.find("ssh:"),
              "  - {name: lb1, address: 192.168.2.8, roles: [load-balancer]}\n  - {name: lb2, address: "
              "192.168.2.9, roles: [load-balancer]}\n");
  const auto cluster = parse_cluster(text, "cluster.yaml");
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_EQ(cluster->balancers().size(), 2U);
  EXPECT_EQ(cluster->nodes().size(), 4U);
}

TEST(ParseCluster, KeepsKubeadmOverridesTyped) {
  const auto cluster = parse_cluster(replaced("network:",
                                              "kubeadm: {ClusterConfiguration: {apiServer: {extraArgs: {v: "
                                              "\"4\"}}}, KubeletConfiguration: {maxPods: 60}}\nnetwork:"),
                                     "c");
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_EQ(cluster->kubeadm.at("KubeletConfiguration").at("maxPods").as_int64(), 60);
  const json::Value expected = json::parse(R"([{"name":"v","value":"4"}])", "expected").value();
  EXPECT_EQ(cluster->kubeadm.at("ClusterConfiguration").at("apiServer").at("extraArgs"), expected);
}

}  // namespace
}  // namespace sealift::installer
