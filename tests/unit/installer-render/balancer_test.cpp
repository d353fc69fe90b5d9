#include "installer/render/balancer.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

KeepalivedSettings settings() {
  return {"prod",
          "m1",
          "eth0",
          address("192.168.2.11"),
          {address("192.168.2.12"), address("192.168.2.13")},
          100,
          200,
          address("192.168.2.100")};
}

TEST(RenderKeepalived, Golden) { expect_golden("keepalived.conf", render_keepalived(settings())); }

// Two peers on one line: keepalived takes the first only, and there are two masters.
TEST(RenderKeepalived, WritesOnePeerALine) {
  const std::string text = render_keepalived(settings()).value();
  EXPECT_THAT(text, HasSubstr("\n    192.168.2.12\n    192.168.2.13\n"));
}

// keepalived refuses a file that says unicast and names nobody.
TEST(RenderKeepalived, SaysNothingOfUnicastWithoutPeers) {
  KeepalivedSettings alone = settings();
  alone.peers.clear();
  const std::string text = render_keepalived(alone).value();
  EXPECT_THAT(text, Not(HasSubstr("unicast_src_ip")));
  EXPECT_THAT(text, Not(HasSubstr("unicast_peer")));
}

TEST(RenderKeepalived, HasNoWeightAndNoPassword) {
  const std::string text = render_keepalived(settings()).value();
  EXPECT_THAT(text, Not(HasSubstr("\n  weight")));
  EXPECT_THAT(text, Not(HasSubstr("auth_pass")));
  EXPECT_THAT(text, Not(HasSubstr("state MASTER")));
  EXPECT_THAT(text, HasSubstr("nopreempt"));
}

TEST(RenderKeepalived, RefusesAnInterfaceThatWouldBecomeConfiguration) {
  KeepalivedSettings bad = settings();
  bad.interface = "eth0\n  priority 255";
  const auto text = render_keepalived(bad);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::invalid_argument);
}

TEST(KeepalivedPriority, IsDistinctForEveryRank) {
  for (const std::size_t count : {1U, 3U, 20U, 150U}) {
    std::set<unsigned> seen;
    for (std::size_t rank = 0; rank < count; ++rank) {
      const unsigned priority = keepalived_priority(rank, count);
      EXPECT_GE(priority, 1U);
      EXPECT_LE(priority, 254U);
      EXPECT_TRUE(seen.insert(priority).second) << rank << " of " << count;
    }
  }
}

TEST(ChooseRouterId, FollowsTheAddressAndAvoidsTheTaken) {
  EXPECT_EQ(choose_router_id(address("192.168.2.100"), {}), 100U);
  EXPECT_EQ(choose_router_id(address("192.168.2.100"), {100, 101}), 102U);
  EXPECT_EQ(choose_router_id(address("192.168.2.255"), {255}), 1U);
  EXPECT_EQ(choose_router_id(address("192.168.2.0"), {}), 255U);
}

TEST(ExpectedTakeover, IsThreeAdvertisementsAndTheSkew) {
  EXPECT_NEAR(expected_takeover_seconds(190), 3.26, 0.01);
}

TEST(RenderNginx, Golden) {
  expect_golden(
      "nginx.conf",
      render_nginx(
          {"prod", {address("192.168.2.11"), address("192.168.2.12"), address("192.168.2.13")}, 16443}));
}

TEST(RenderNginx, BracketsIpv6) {
  const std::string text = render_nginx({"prod", {address("2001:db8::1")}, 16443, true}).value();
  EXPECT_THAT(text, HasSubstr("server [2001:db8::1]:6443"));
  EXPECT_THAT(text, HasSubstr("listen [::]:16443"));
}

TEST(RenderBalancerUnit, Golden) {
  expect_golden("sealift-lb.service", render_balancer_unit("/usr/sbin/nginx"));
}

}  // namespace
}  // namespace sealift::installer
