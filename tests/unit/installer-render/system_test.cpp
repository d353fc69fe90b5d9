#include "installer/render/system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.hpp"
#include "installer/render/pod_network.hpp"

namespace sealift::installer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(HostsBlock, Golden) { expect_golden("hosts", render_hosts_block(sample_cluster())); }

TEST(TimeRole, TwoControlPlanesServeTheOthersAndEachOther) {
  const Cluster cluster = sample_cluster();
  EXPECT_THAT(time_role(cluster, cluster.hosts[0]).sources, ElementsAre("192.168.2.12"));
  EXPECT_THAT(time_role(cluster, cluster.hosts[0]).clients, Contains("192.168.2.21"));
  EXPECT_THAT(time_role(cluster, cluster.hosts[2]).sources, ElementsAre("192.168.2.11", "192.168.2.12"));
  EXPECT_THAT(time_role(cluster, cluster.hosts[2]).clients, IsEmpty());
}

TEST(TimeRole, GivenServersAreAskedByAll) {
  const Cluster cluster = sample_cluster("time: {servers: [192.168.2.1, 192.168.2.2]}\n");
  for (const Host& host : cluster.hosts) {
    EXPECT_THAT(time_role(cluster, host).sources, ElementsAre("192.168.2.1", "192.168.2.2"));
    EXPECT_THAT(time_role(cluster, host).clients, IsEmpty());
  }
}

TEST(RenderChrony, Golden) {
  const Cluster cluster = sample_cluster();
  expect_golden("chrony-server.conf", render_chrony(cluster.name, time_role(cluster, cluster.hosts[0])));
  expect_golden("chrony-client.conf", render_chrony(cluster.name, time_role(cluster, cluster.hosts[3])));
}

TEST(NodeModules, IpvsOnlyWhenAskedFor) {
  EXPECT_THAT(node_modules(sample_cluster()), ElementsAre("overlay", "br_netfilter"));
  EXPECT_THAT(node_modules(sample_cluster("kubeadm: {KubeProxyConfiguration: {mode: ipvs}}\n")),
              Contains("ip_vs"));
}

TEST(SystemdQuote, KeepsOneArgumentOne) {
  EXPECT_EQ(systemd_quote("/opt/a.tar"), "/opt/a.tar");
  EXPECT_EQ(systemd_quote("/opt/my bundle.tar"), "\"/opt/my bundle.tar\"");
  EXPECT_EQ(systemd_quote("100%$HOME"), "100%%$$HOME");
  EXPECT_EQ(systemd_quote("a\"b\\"), "\"a\\\"b\\\\\"");
}

TEST(PodNetwork, Golden) {
  const Network own = Network::parse("10.244.0.0/24").value();
  expect_golden("10-sealift-bridge.conflist", render_bridge_network(own));
  const PodRange other{"m2", IpAddress::parse("192.168.2.12").value(),
                       Network::parse("10.244.1.0/24").value()};
  expect_golden("sealift-routes.service",
                render_routes_unit({other}, Network::parse("10.244.0.0/16").value()));
}

TEST(MirrorUnit, Golden) {
  expect_golden("sealift-mirror.service",
                render_mirror_unit("/usr/local/bin/sealift serve /srv/a.tar", "sha256:0123, inode 4"));
}

}  // namespace
}  // namespace sealift::installer
