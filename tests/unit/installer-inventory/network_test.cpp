#include "installer/inventory/network.hpp"

#include <gtest/gtest.h>

namespace sealift::installer {
namespace {

Network network(std::string_view text) { return Network::parse(text).value(); }
IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(IpAddress, RefusesNamesPortsAndLeadingZeros) {
  for (const char* text :
       {"", "localhost", "10.0.0.1:80", "10.0.0", "010.0.0.1", "10.0.0.256", "fe80::1%eth0", "10.0.0.1/24"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, PrintsCanonically) {
  EXPECT_EQ(address("2001:DB8:0::1").str(), "2001:db8::1");
  EXPECT_EQ(address("2001:db8::1").bracketed(), "[2001:db8::1]");
  EXPECT_EQ(address("10.0.0.1").bracketed(), "10.0.0.1");
}

TEST(Network, SuggestsTheNetworkWhenHostBitsAreSet) {
  const auto result = Network::parse("10.244.1.0/16");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("did you mean 10.244.0.0/16?"), std::string::npos)
      << result.error().message();
}

TEST(Network, RefusesBadPrefixes) {
  for (const char* text :
       {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "/8"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Network, ContainsOnlyItsOwnFamily) {
  EXPECT_TRUE(network("10.96.0.0/12").contains(address("10.111.255.255")));
  EXPECT_FALSE(network("10.96.0.0/12").contains(address("10.112.0.0")));
  EXPECT_TRUE(network("0.0.0.0/0").contains(address("1.2.3.4")));
  EXPECT_FALSE(network("0.0.0.0/0").contains(address("::1")));
}

TEST(Network, OverlapIsSymmetric) {
  EXPECT_TRUE(network("10.0.0.0/8").overlaps(network("10.96.0.0/12")));
  EXPECT_TRUE(network("10.96.0.0/12").overlaps(network("10.0.0.0/8")));
  EXPECT_FALSE(network("10.96.0.0/12").overlaps(network("10.112.0.0/12")));
}

TEST(Network, CountsAcrossBytes) {
  EXPECT_EQ(network("10.96.0.0/12").at(1).str(), "10.96.0.1");
  EXPECT_EQ(network("10.96.0.0/12").at(257).str(), "10.96.1.1");
  EXPECT_EQ(network("fd00::/108").at(10).str(), "fd00::a");
}

}  // namespace
}  // namespace sealift::installer
