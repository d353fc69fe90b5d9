#include "lib/pkgrepo/apt/version.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/process.hpp"

namespace sealift::pkgrepo::apt {
namespace {

/// Ascending, each strictly below the next.
const std::vector<std::string> kAscending{"0~~",
                                          "0~~a",
                                          "0~",
                                          "0",
                                          "0a",
                                          "0+",
                                          "0.1~rc1-1",
                                          "0.1-1~bpo1",
                                          "0.1-1",
                                          "0.1-1+b1",
                                          "0.1-1.1",
                                          "0.1-2",
                                          "0.1-10",
                                          "0.1.1-1",
                                          "1.0~beta2",
                                          "1.0",
                                          "1.0-0a",
                                          "1.0-1",
                                          "1.0a-1",
                                          "1.0+dfsg-1",
                                          "1.0+dfsg1-1",
                                          "1.0.0-1",
                                          "1.2.3",
                                          "1.10.1-9",
                                          "1.22.1-9",
                                          "1.22.1-9+deb12u1",
                                          "1.22.1-9+deb12u10",
                                          "2.36-9+deb12u10",
                                          "9",
                                          "10",
                                          "1:0.1",
                                          "1:1.0-1",
                                          "2:0~0-0~0"};

TEST(CompareVersions, FollowsPolicysOrder) {
  for (std::size_t i = 0; i < kAscending.size(); ++i) {
    for (std::size_t j = 0; j < kAscending.size(); ++j) {
      EXPECT_EQ(compare_versions(kAscending[i], kAscending[j]) < 0, i < j)
          << kAscending[i] << " and " << kAscending[j];
      EXPECT_EQ(compare_versions(kAscending[i], kAscending[j]) == 0, i == j)
          << kAscending[i] << " and " << kAscending[j];
    }
  }
}

TEST(CompareVersions, AgreesWithDpkg) {
  for (std::size_t i = 0; i + 1 < kAscending.size(); ++i) {
    Command command;
    command.arguments = {"dpkg", "--compare-versions", kAscending[i], "lt", kAscending[i + 1]};
    const auto output = run(command);
    if (!output) GTEST_SKIP() << "no dpkg here";
    EXPECT_TRUE(output->ok()) << kAscending[i] << " < " << kAscending[i + 1] << " is not dpkg's opinion";
  }
}

TEST(CompareVersions, MissingPartsCountAsZero) {
  EXPECT_TRUE(compare_versions("1.0", "0:1.0") == 0);
  EXPECT_TRUE(compare_versions("1.0", "1.0-0") == 0);
  EXPECT_TRUE(compare_versions("1.00", "1.0") == 0);
  EXPECT_TRUE(compare_versions("1.0-01", "1.0-1") == 0);
}

TEST(CompareVersions, ReadsNumbersOfAnyLength) {
  const std::string huge(200, '9');
  EXPECT_TRUE(compare_versions("1." + huge, "1." + huge + "0") < 0);
  EXPECT_TRUE(compare_versions("18446744073709551616", "18446744073709551617") < 0);
}

TEST(IsVersion, RefusesWhatDpkgWould) {
  for (const auto& version : kAscending) EXPECT_TRUE(is_version(version)) << version;
  for (const char* bad : {"", "-1", "a b", "1:", ":1", "x:1", "1/2", "1.0_1", "$(id)", "1\n2", "1:-1"}) {
    EXPECT_FALSE(is_version(bad)) << bad;
  }
}

TEST(IsPackageName, RefusesPathsAndOptions) {
  for (const char* good : {"nginx", "libstdc++6", "g++-12", "0ad", "python3.11", "X11_thing"})
    EXPECT_TRUE(is_package_name(good));
  for (const char* bad : {"", "-y", "../x", "a/b", "a b", ".x", "a\n"})
    EXPECT_FALSE(is_package_name(bad)) << bad;
}

TEST(WithoutEpoch, DropsOnlyTheEpoch) {
  EXPECT_EQ(without_epoch("1:2.3-4"), "2.3-4");
  EXPECT_EQ(without_epoch("2.3-4"), "2.3-4");
}

}  // namespace
}  // namespace sealift::pkgrepo::apt
