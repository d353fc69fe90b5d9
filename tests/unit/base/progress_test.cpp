#include "lib/base/progress.hpp"

#include <gtest/gtest.h>

namespace sealift {
namespace {

TEST(FormatBytes, UsesBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes((1ULL << 30) - 1), "1.0 GiB");
  EXPECT_EQ(format_bytes(~0ULL), "16777216.0 TiB");
}

}  // namespace
}  // namespace sealift
