#include "builder/fetch/upstream_error.hpp"

#include <gtest/gtest.h>

namespace sealift::builder {
namespace {

TEST(UpstreamMessage, ReadsARegistrysErrors) {
  EXPECT_EQ(upstream_message(
                R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]})"),
            "MANIFEST_UNKNOWN: manifest unknown");
  EXPECT_EQ(upstream_message(R"({"errors":[{"code":"DENIED"}]})"), "DENIED");
}

TEST(UpstreamMessage, IsOneShortPrintableLine) {
  EXPECT_EQ(upstream_message("busy\nsecond line"), "busy");
  EXPECT_EQ(upstream_message("\x1b[31mred"), "[31mred");
  EXPECT_EQ(upstream_message(std::string(10'000, 'x')).size(), 200U);
  EXPECT_EQ(upstream_message("<html><body>"), "");
  EXPECT_EQ(upstream_message(""), "");
  EXPECT_EQ(upstream_message(R"({"errors":7})"), "");
}

}  // namespace
}  // namespace sealift::builder
