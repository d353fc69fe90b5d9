#include "lib/base/dns.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sealift {
namespace {

TEST(Dns, KnowsLabels) {
  for (const char* label : {"a", "0", "kube-flannel", "x1"}) EXPECT_TRUE(is_dns_label(label)) << label;
  for (const char* text : {"", "-x", "x-", "Flannel", "calico_3", "x.y", "x y"})
    EXPECT_FALSE(is_dns_label(text)) << text;
  EXPECT_TRUE(is_dns_label(std::string(63, 'a')));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
}

TEST(Dns, KnowsNames) {
  for (const char* name : {"a", "api.prod.example", "10.0.0.1"}) EXPECT_TRUE(is_dns_name(name)) << name;
  for (const char* text : {"", ".", "a.", ".a", "a..b", "a.-b"}) EXPECT_FALSE(is_dns_name(text)) << text;
  std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                        std::string(61, 'd');
  EXPECT_TRUE(is_dns_name(longest));
  EXPECT_FALSE(is_dns_name(longest + "d"));
}

}  // namespace
}  // namespace sealift
