#include "lib/oci/platform.hpp"

#include <gtest/gtest.h>

namespace sealift::oci {
namespace {

TEST(ParsePlatform, DropsAnImpliedVariant) {
  EXPECT_EQ(Platform::parse("linux/arm64/v8")->str(), "linux/arm64");
  EXPECT_EQ(Platform::parse("linux/arm/v7")->str(), "linux/arm");
  EXPECT_EQ(Platform::parse("linux/arm/v6")->str(), "linux/arm/v6");
  EXPECT_EQ(Platform::parse("linux/amd64/v3")->str(), "linux/amd64/v3");
}

TEST(ParsePlatform, FoldsOtherSpellings) {
  EXPECT_EQ(Platform::parse("linux/x86_64")->str(), "linux/amd64");
  EXPECT_EQ(*Platform::parse("linux/aarch64"), *Platform::parse("linux/arm64/v8"));
}

TEST(ParsePlatform, RefusesOtherShapes) {
  for (const char* bad :
       {"", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux/../etc", "linux/am d64", "all"}) {
    EXPECT_FALSE(Platform::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace sealift::oci
