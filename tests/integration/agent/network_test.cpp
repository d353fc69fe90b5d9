// Probes of the network, in two network namespaces joined by a cable. Needs root and iproute2.
#include <gtest/gtest.h>
#include <unistd.h>

#include "installer/host/agent_session.hpp"
#include "lib/base/process.hpp"
#include "program.hpp"

namespace sealift::installer {
namespace {

class NetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    near_ = fmt::format("sl-near-{}", ::getpid());
    far_ = fmt::format("sl-far-{}", ::getpid());
    const std::vector<std::string> commands = {
        "ip netns add " + near_,
        "ip netns add " + far_,
        fmt::format("ip link add eth0 netns {} type veth peer name eth0 netns {}", near_, far_),
        fmt::format("ip -n {} addr add 10.77.0.1/24 dev eth0", near_),
        fmt::format("ip -n {} addr add 10.77.0.2/24 dev eth0", far_),
        fmt::format("ip -n {} link set eth0 up", near_),
        fmt::format("ip -n {} link set eth0 up", far_),
        fmt::format("ip -n {} link set lo up", near_),
    };
    for (const std::string& command : commands) {
      const auto result = run_checked({.arguments = {"sh", "-c", command}});
      if (!result) GTEST_SKIP() << "cannot make network namespaces: " << result.error().message();
    }
  }
  void TearDown() override {
    for (const std::string& name : {near_, far_}) {
      if (!name.empty()) (void)run({.arguments = {"ip", "netns", "del", name}});
    }
  }
  Result<Facts> facts_in_near(const FactsRequest& request) {
    std::error_code error;
    const std::string self = fs::read_symlink("/proc/self/exe", error).string();
    TRY_ASSIGN(auto channel, start_channel({"ip", "netns", "exec", near_, self, "agent"}, {}));
    TRY_ASSIGN(const auto session, open_session(std::move(channel), "near", ""));
    return session->facts(request);
  }

  static std::string mac_of(const std::string& name) {
    const auto text =
        run_checked({.arguments = {"ip", "netns", "exec", name, "cat", "/sys/class/net/eth0/address"}});
    return text ? text->out.substr(0, text->out.find('\n')) : text.error().message();
  }

  std::string near_;
  std::string far_;
};

TEST_F(NetworkTest, ClaimsTellWhoHasAnAddress) {
  ASSERT_TRUE(run_checked({.arguments = {"sh", "-c",
                                         fmt::format("ip -n {} addr add fd77::1/64 dev eth0 nodad && "
                                                     "ip -n {} addr add fd77::2/64 dev eth0 nodad",
                                                     near_, far_)}}));
  for (const std::vector<std::string>& addresses : {
           std::vector<std::string>{"10.77.0.2", "10.77.0.100", "10.77.0.1", "192.0.2.1"},
           std::vector<std::string>{"fd77::2", "fd77::100", "fd77::1", "fd78::1"},
       }) {
    FactsRequest request;
    request.claims = addresses;
    const auto facts = facts_in_near(request);
    ASSERT_TRUE(facts) << facts.error().message();
    ASSERT_EQ(facts->claims.size(), 4U);
    EXPECT_TRUE(facts->claims[0].probed) << addresses[0];
    EXPECT_EQ(facts->claims[0].answered_by, mac_of(far_)) << addresses[0] << ": somebody has it";
    EXPECT_TRUE(facts->claims[1].probed) << addresses[1];
    EXPECT_EQ(facts->claims[1].answered_by, "") << addresses[1] << ": free";
    EXPECT_TRUE(facts->claims[2].own) << addresses[2];
    EXPECT_FALSE(facts->claims[3].probed) << addresses[3] << ": on none of our networks";
  }
}

TEST_F(NetworkTest, AddressesRoutesAndInterfacesAreTold) {
  const auto facts = facts_in_near({});
  ASSERT_TRUE(facts);
  const auto has = [&](const std::string& address, unsigned prefix) {
    for (const InterfaceAddress& item : facts->addresses) {
      if (item.address == address && item.prefix == prefix && item.interface == "eth0") return true;
    }
    return false;
  };
  EXPECT_TRUE(has("10.77.0.1", 24));
  ASSERT_GE(facts->routes.size(), 1U);
  EXPECT_EQ(facts->routes[0].destination, "10.77.0.0/24");
  EXPECT_EQ(facts->routes[0].gateway, "");
}

TEST_F(NetworkTest, DefaultRoutesOfBothFamiliesAreTold) {
  const auto added = run_checked(
      {.arguments = {
           "sh", "-c",
           fmt::format("ip -n {0} route add default via 10.77.0.2 && ip -n {0} addr add fd77::1/64 dev "
                       "eth0 nodad && ip -n {0} -6 route add default via fd77::2",
                       near_)}});
  ASSERT_TRUE(added) << added.error().message();
  const auto facts = facts_in_near({});
  ASSERT_TRUE(facts);
  std::map<std::string, std::string> gateways;
  for (const RouteFact& route : facts->routes)
    if (route.interface == "eth0") gateways[route.destination] = route.gateway;
  EXPECT_EQ(gateways["0.0.0.0/0"], "10.77.0.2");
  EXPECT_EQ(gateways["::/0"], "fd77::2");
  EXPECT_EQ(gateways["fd77::/64"], "");
}

TEST_F(NetworkTest, VrrpRoutersAreHeard) {
  const std::string speaker =
      "import socket,time\n"
      "s=socket.socket(socket.AF_INET,socket.SOCK_RAW,112)\n"
      "s.setsockopt(socket.IPPROTO_IP,socket.IP_MULTICAST_IF,socket.inet_aton('10.77.0.2'))\n"
      "p=bytes([0x21,77,100,1,0,1,0,0,10,77,0,50])\n"
      "for i in range(20):\n"
      " s.sendto(p,('224.0.0.18',0)); time.sleep(.1)\n";
  auto speaking = start_channel({"ip", "netns", "exec", far_, "python3", "-c", speaker}, {});
  ASSERT_TRUE(speaking);
  FactsRequest request;
  request.vrrp_listen_ms = 1500;
  const auto facts = facts_in_near(request);
  ASSERT_TRUE(facts);
  ASSERT_EQ(facts->vrrp.size(), 1U);
  EXPECT_EQ(facts->vrrp[0].router_id, 77U);
  EXPECT_EQ(facts->vrrp[0].source, "10.77.0.2");
  EXPECT_EQ(facts->vrrp[0].addresses, std::vector<std::string>{"10.77.0.50"});
}

}  // namespace
}  // namespace sealift::installer
