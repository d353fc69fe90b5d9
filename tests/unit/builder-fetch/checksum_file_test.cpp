#include "builder/resolve/checksum_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::builder {
namespace {

const std::string kA(64, 'a');
const std::string kB(64, 'b');
const std::string kLong(128, 'c');

std::string found(std::string_view text, std::string_view name = "tool.tgz") {
  const auto digest = find_checksum(text, name, "SUMS");
  return digest ? digest->str() : "error: " + digest.error().message();
}

TEST(FindChecksum, ReadsEveryForm) {
  const std::string expected = "sha256:" + kA;
  EXPECT_EQ(found(kA), expected);
  EXPECT_EQ(found(kA + "\n"), expected);
  EXPECT_EQ(found("\n" + kA + "\r\n"), expected);
  EXPECT_EQ(found(kA + "  tool.tgz\n"), expected);
  EXPECT_EQ(found(kA + " *tool.tgz\n"), expected);
  EXPECT_EQ(found(kA + "  ./dist/tool.tgz\n"), expected);
  EXPECT_EQ(found("SHA256 (tool.tgz) = " + kA + "\n"), expected);
  EXPECT_EQ(found("SHA512 (tool.tgz) = " + kLong + "\n"), "sha512:" + kLong);
  EXPECT_EQ(found(kLong + "  tool.tgz"), "sha512:" + kLong);
  EXPECT_EQ(found(std::string(64, 'A') + "  tool.tgz"), expected);
}

TEST(FindChecksum, FindsItsLineInAList) {
  const std::string list = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# releases\n" + kB +
                           "  other.tgz\n" + kA + "  tool.tgz\n" + kB +
                           "  tool.tgz.asc\n-----BEGIN PGP SIGNATURE-----\n";
  EXPECT_EQ(found(list), "sha256:" + kA);
  EXPECT_EQ(found(list, "other.tgz"), "sha256:" + kB);
}

TEST(FindChecksum, PrefersSha256) {
  EXPECT_EQ(found(kLong + "  tool.tgz\n" + kA + "  tool.tgz\n"), "sha256:" + kA);
}

TEST(FindChecksum, RefusesWhatIsAmbiguousOrAbsent) {
  EXPECT_THAT(found(kA + "  tool.tgz\n" + kB + "  tool.tgz\n"),
              testing::HasSubstr("two different checksums"));
  EXPECT_EQ(found(kA + "  tool.tgz\n" + kA + "  tool.tgz\n"), "sha256:" + kA);
  EXPECT_THAT(found(kA + "  other\n"), testing::HasSubstr("none for tool.tgz"));
  EXPECT_THAT(found(kA + "\n" + kB + "\n"), testing::HasSubstr("none for tool.tgz"));
  EXPECT_THAT(found("<html>404</html>"), testing::HasSubstr("no sha256 or sha512"));
  EXPECT_THAT(found(kA.substr(1) + "  tool.tgz"), testing::HasSubstr("no sha256"));
  EXPECT_THAT(found(std::string(63, 'a') + "g  tool.tgz"), testing::HasSubstr("no sha256"));
  EXPECT_THAT(found("SHA256 (tool.tgz) = " + kLong), testing::HasSubstr("no sha256"));
  EXPECT_THAT(found(""), testing::HasSubstr("no sha256"));
}

}  // namespace
}  // namespace sealift::builder
