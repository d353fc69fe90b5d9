#include "lib/pkgrepo/solver/lockstep.hpp"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/pkgrepo/solver/apt_closure.hpp"

namespace sealift::pkgrepo::solver {
namespace {

using testing::ElementsAre;

TEST(OldestInRelease, TakesStableUpdatesOff) {
  EXPECT_EQ(oldest_in_release("3.7.9-2+deb12u4"), "3.7.9-2");
  EXPECT_EQ(oldest_in_release("1:9.2p1-2+deb12u10"), "1:9.2p1-2");
  EXPECT_EQ(oldest_in_release("1:2.66-4+deb12u3+b1"), "1:2.66-4");
  EXPECT_EQ(oldest_in_release("1.0+debug-1"), "1.0+debug-1");
  EXPECT_EQ(oldest_in_release("1.0+deb12u"), "1.0+deb12u");
  EXPECT_EQ(oldest_in_release("2.36-9"), "2.36-9");
  EXPECT_EQ(oldest_in_release("1.0-1+b2"), "1.0-1+b2");
  EXPECT_EQ(oldest_in_release("3.0.17-1~deb12u2"), "");
  EXPECT_EQ(oldest_in_release("2.39-0ubuntu8.4"), "2.39-0ubuntu8");
  EXPECT_EQ(oldest_in_release("2.39-0ubuntu8"), "2.39-0ubuntu8");
  EXPECT_EQ(oldest_in_release("1.34.1-1ubuntu0.24.04.1"), "1.34.1-1");
}

/// The names that `install` brings when the machine has `present` of these stanzas, in versions unknown.
std::vector<std::string> carried(const std::string& stanzas, const std::string& install,
                                 const std::set<std::string>& present) {
  const auto index = apt::PackageIndex::parse_packages(stanzas, "world");
  EXPECT_TRUE(index) << index.error().message();
  ClosureRequest request;
  request.architecture = "amd64";
  request.installed_versions = InstalledVersions::at_most;
  request.install = {install};
  for (const auto& package : index->packages()) {
    request.candidates.push_back(&package);
    if (present.contains(std::string(package.name))) request.installed.push_back(&package);
  }
  const auto closure = solve_closure(request);
  EXPECT_TRUE(closure) << closure.error().message();
  std::vector<std::string> names;
  for (const auto* package : closure->packages) names.emplace_back(package->name);
  return names;
}

std::string stanza(const std::string& name, const std::string& version, const std::string& extra = "") {
  return fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\nFilename: x.deb\n{}\n", name, version,
                     extra);
}

TEST(NamedBaseline, CarriesWhatMustBeExactlyAsNew) {
  const std::string world =
      stanza("perl", "5.36.0-7+deb12u3", "Depends: perl-base (= 5.36.0-7+deb12u3)\n") +
      stanza("perl-base", "5.36.0-7+deb12u3") +
      stanza("perl-doc", "5.36.0-7+deb12u3", "Depends: perl-base (= 5.36.0-7+deb12u3)\n");
  EXPECT_THAT(carried(world, "perl", {"perl-base", "perl-doc"}),
              ElementsAre("perl", "perl-base", "perl-doc"));
}

/// An update within a release may have a plain new version (Ubuntu's native packages have).
TEST(NamedBaseline, CarriesWhatMustBeExactlyAsNewWhateverTheVersionLooksLike) {
  const std::string world = stanza("apt-utils", "2.8.3", "Depends: apt (= 2.8.3)\n") + stanza("apt", "2.8.3");
  EXPECT_THAT(carried(world, "apt-utils", {"apt"}), ElementsAre("apt", "apt-utils"));
}

TEST(NamedBaseline, KeepsStepWithWhatWasAskedForEvenWhenPresent) {
  const std::string world = stanza("perl", "5-7+deb12u3", "Depends: perl-base (= 5-7+deb12u3)\n") +
                            stanza("perl-base", "5-7+deb12u3");
  EXPECT_THAT(carried(world, "perl", {"perl", "perl-base"}), ElementsAre("perl", "perl-base"));
}

TEST(NamedBaseline, LeavesOutWhatEveryMachineOfTheReleaseHas) {
  const std::string world = stanza("app", "1-1", "Depends: libc6 (>= 2.36), libssl (>= 3.0.0), plain\n") +
                            stanza("libc6", "2.36-9+deb12u10") + stanza("libssl", "3.0.5-1") +
                            stanza("plain", "1~deb12u1");
  EXPECT_THAT(carried(world, "app", {"libc6", "libssl", "plain"}), ElementsAre("app"));
}

TEST(NamedBaseline, CarriesWhatAnUpdateBrought) {
  const std::string world =
      stanza("app", "1-1",
             "Depends: libtls (>= 3.7.9-2+deb12u3), libssl (>= 3.0.0)\nBreaks: tool (<< 2-1+deb12u1)\n") +
      stanza("libtls", "3.7.9-2+deb12u4") + stanza("libssl", "3.0.17-1~deb12u2") +
      stanza("tool", "2-1+deb12u2");
  EXPECT_THAT(carried(world, "app", {"libtls", "libssl", "tool"}),
              ElementsAre("app", "libssl", "libtls", "tool"));
}

TEST(NamedBaseline, OneSafeAlternativeIsEnough) {
  const std::string world = stanza("app", "1-1", "Depends: aa (>= 1-1+deb12u1) | bb\n") +
                            stanza("aa", "1-1+deb12u1") + stanza("bb", "1-1");
  EXPECT_THAT(carried(world, "app", {"aa", "bb"}), ElementsAre("app"));
}

}  // namespace
}  // namespace sealift::pkgrepo::solver
