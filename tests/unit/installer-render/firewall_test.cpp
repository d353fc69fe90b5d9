#include "installer/render/firewall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HostFirewall, Golden) {
  const Cluster cluster = sample_cluster();
  const FirewallRules rules = host_firewall(cluster, cluster.hosts[0]);
  expect_golden("firewalld-sealift.xml", render_firewalld_input(rules));
  expect_golden("firewalld-sealift-forward.xml", render_firewalld_forward(rules));
  expect_golden("ufw-sealift.rules", render_ufw_rules(rules));
}

TEST(HostFirewall, ChainsOfUfwComeWithoutTheJumpsToThem) {
  FirewallRules rules = host_firewall(sample_cluster(), sample_cluster().hosts[0]);
  for (const bool v6 : {false, true}) {
    rules.v6 = v6;
    std::string expected = render_ufw_rules(rules).value();
    for (const char* place : {"input", "forward"}) {
      const std::string jump =
          fmt::format("-A {}-after-{} -j sealift-{}\n", v6 ? "ufw6" : "ufw", place, place);
      ASSERT_THAT(expected, HasSubstr(jump));
      expected.replace(expected.find(jump), jump.size(), "\n");
    }
    EXPECT_EQ(render_ufw_chains(rules).value(), expected);
  }
}

TEST(HostFirewall, OpensToClientsOnlyWhatTheHostHasForThem) {
  const Cluster cluster = sample_cluster_with_balancers();
  for (const Host& host : cluster.hosts) {
    const FirewallRules rules = host_firewall(cluster, host);
    const std::string text = render_ufw_rules(rules).value();
    EXPECT_EQ(text.find("-p tcp --dport 16443 ") != std::string::npos, host.has(Role::load_balancer));
    EXPECT_EQ(text.find("-p udp --dport 30000:32767 ") != std::string::npos, host.is_node());
    EXPECT_EQ(text.find("10.244.0.0/16") != std::string::npos, host.is_node());
    EXPECT_EQ(rules.forward.empty(), !host.is_node());
    EXPECT_THAT(text, Not(HasSubstr("-s " + host.address.str() + " ")));
  }
}

TEST(HostFirewall, LetsABalancerOfTheSiteReachTheApiServers) {
  Cluster cluster = sample_cluster();
  EXPECT_THAT(render_ufw_rules(host_firewall(cluster, cluster.hosts[0])).value(),
              Not(HasSubstr("--dport 6443 ")));
  cluster.endpoint.mode = EndpointMode::external;
  for (const Host& host : cluster.hosts) {
    const std::string text = render_ufw_rules(host_firewall(cluster, host)).value();
    EXPECT_EQ(text.find("-p tcp --dport 6443 ") != std::string::npos, host.has(Role::control_plane));
  }
}

TEST(HostFirewall, FollowsTheRangeOfNodePorts) {
  const auto text_of = [](const std::string& range) {
    const Cluster cluster =
        sample_cluster("kubeadm: {ClusterConfiguration: {apiServer: {extraArgs: {service-node-port-range: '" +
                       range + "'}}}}\n");
    return render_firewalld_input(host_firewall(cluster, cluster.hosts[0])).value();
  };
  EXPECT_THAT(text_of("20000-20100"), HasSubstr(R"(<port port="20000-20100" protocol="tcp"/>)"));
  EXPECT_THAT(text_of("20000+100"), HasSubstr(R"(<port port="20000-20100" protocol="udp"/>)"));
  EXPECT_THAT(text_of("1\"/><accept/>"), HasSubstr(R"(<port port="30000-32767" protocol="udp"/>)"));
}

TEST(MirrorFirewall, Golden) {
  const FirewallRules rules = mirror_firewall(sample_cluster());
  expect_golden("firewalld-sealift-mirror.xml", render_firewalld_input(rules));
  expect_golden("ufw-sealift-mirror.rules", render_ufw_rules(rules));
}

}  // namespace
}  // namespace sealift::installer
