#include "lib/base/ascii.hpp"

#include <gtest/gtest.h>

namespace sealift {
namespace {

TEST(Ascii, FoldsLettersAndNothingElse) {
  EXPECT_EQ(ascii_lower("AZaz09-[`{@\xC3\x84"), "azaz09-[`{@\xC3\x84");
  EXPECT_EQ(ascii_lower(std::string_view("A\0B", 3)), std::string_view("a\0b", 3));
}

TEST(Ascii, ComparesWithoutCase) {
  EXPECT_TRUE(equals_ignoring_case("Content-Type", "content-TYPE"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("abc", "ab"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));  // they differ in the same bit
}

TEST(Ascii, TrimsBothEnds) {
  EXPECT_EQ(trimmed(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\v a"), "\v a");
}

}  // namespace
}  // namespace sealift
