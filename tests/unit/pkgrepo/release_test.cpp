#include "lib/pkgrepo/apt/release.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::pkgrepo::apt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string release_text(const std::string& extra = "",
                         const std::string& list = fmt::format(" {} 0 main/binary-amd64/Packages\n", kHex)) {
  return "Origin: Debian\nSuite: stable\nCodename: bookworm\nDate: Sat, 17 May 2025 10:00:00 UTC\n" + extra +
         "Architectures: all amd64 arm64\nComponents: main contrib\nSHA256:\n" + list;
}

const Timestamp kNow = *parse_rfc3339("2025-06-01T00:00:00Z");

TEST(ParseRelease, ReadsWhatIsNeeded) {
  const auto release =
      parse_release(release_text("Valid-Until: Sat, 24 May 2025 10:00:00 UTC\nAcquire-By-Hash: yes\n"
                                 "No-Support-for-Architecture-all: Packages\n"),
                    "Release");
  ASSERT_TRUE(release) << release.error().message();
  EXPECT_EQ(release->codename, "bookworm");
  EXPECT_THAT(release->architectures, ElementsAre("all", "amd64", "arm64"));
  EXPECT_THAT(release->components, ElementsAre("main", "contrib"));
  EXPECT_TRUE(release->acquire_by_hash);
  EXPECT_TRUE(release->all_in_each_architecture);
  EXPECT_EQ(format_rfc3339(*release->date), "2025-05-17T10:00:00Z");
  EXPECT_EQ(format_rfc3339(*release->valid_until), "2025-05-24T10:00:00Z");
  EXPECT_EQ(release->files.at("main/binary-amd64/Packages").digest.hex(), kHex);
}

TEST(ParseRelease, KeepsNoPathThatLeavesTheSuite) {
  const auto release = parse_release(
      release_text(
          "",
          fmt::format(" {0} 0 ../evil\n {0} 0 /etc/passwd\n {0} 0 main/../../x\n {0} 0 main/good\n", kHex)),
      "Release");
  ASSERT_TRUE(release);
  EXPECT_THAT(release->files, SizeIs(1));
  EXPECT_TRUE(release->files.contains("main/good"));
}

TEST(ParseRelease, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_release("", "Release"));
  EXPECT_FALSE(parse_release("Origin: x\nMD5Sum:\n abc 1 x\n", "Release"));
  EXPECT_FALSE(parse_release(release_text("", " abc 1 x\n"), "Release"));
  EXPECT_FALSE(parse_release(release_text("", fmt::format(" {} -1 x\n", kHex)), "Release"));
  EXPECT_FALSE(
      parse_release(release_text("", fmt::format(" {} 99999999999999999999999 x\n", kHex)), "Release"));
  EXPECT_FALSE(parse_release(release_text("", fmt::format(" {} 1\n", kHex)), "Release"));
  EXPECT_FALSE(parse_release(release_text("Valid-Until: tomorrow\n"), "Release"));
  EXPECT_FALSE(parse_release(release_text() + "\nOrigin: second\n", "Release"));
}

TEST(CheckValidity, RefusesExpiredAndFutureReleases) {
  const auto expired =
      parse_release(release_text("Valid-Until: Sat, 24 May 2025 10:00:00 UTC\n"), "InRelease");
  ASSERT_TRUE(expired);
  const auto refused = check_validity(*expired, kNow, "InRelease");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(refused.error().message(), HasSubstr("valid until 2025-05-24"));
  EXPECT_TRUE(check_validity(*expired, *parse_rfc3339("2025-05-24T10:00:00Z"), "InRelease"));
  const auto release = parse_release(release_text(), "InRelease");
  EXPECT_TRUE(check_validity(*release, kNow, "InRelease"));
  EXPECT_FALSE(check_validity(*release, *parse_rfc3339("2025-05-15T00:00:00Z"), "InRelease"));
}

TEST(PinPriority, FollowsApt) {
  EXPECT_EQ(pin_priority(*parse_release(release_text(), "x")), 500);
  EXPECT_EQ(pin_priority(*parse_release(release_text("NotAutomatic: yes\nButAutomaticUpgrades: yes\n"), "x")),
            100);
  EXPECT_EQ(pin_priority(*parse_release(release_text("NotAutomatic: yes\n"), "x")), 1);
}

TEST(WriteRelease, ReadsBackTheSame) {
  const auto release = parse_release(release_text("Acquire-By-Hash: yes\nNotAutomatic: yes\n"), "x");
  ASSERT_TRUE(release);
  const std::string text = write_release(*release);
  const auto again = parse_release(text, "again");
  ASSERT_TRUE(again) << again.error().message() << text;
  EXPECT_EQ(write_release(*again), text);
  EXPECT_THAT(text, HasSubstr("Date: Sat, 17 May 2025 10:00:00 UTC\n"));
}

}  // namespace
}  // namespace sealift::pkgrepo::apt
