#include "lib/pkgrepo/solver/apt_closure.hpp"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/pkgrepo/apt/candidates.hpp"

namespace sealift::pkgrepo::solver {
namespace {

using testing::HasSubstr;

/// A world in a few lines: repositories and a machine as stanzas without the fields that do not matter here.
class World {
 public:
  World(const std::string& repositories, const std::string& machine)
      : index_(read(repositories, "Filename: pool/x.deb\n")),
        status_(read(machine, "Filename: pool/x.deb\n")) {}

  ClosureRequest request(std::vector<std::string> install) const {
    ClosureRequest request;
    request.architecture = "amd64";
    for (const auto& candidate : apt::select_candidates({{&index_, 500}}, "amd64"))
      request.candidates.push_back(candidate.package);
    for (const auto& package : status_.packages()) request.installed.push_back(&package);
    request.install = std::move(install);
    return request;
  }

  /// "name=version …", then "-removed …"; or the error.
  static std::string outcome(const ClosureRequest& request) {
    const auto closure = solve_closure(request);
    if (!closure) return closure.error().message();
    std::string text;
    for (const auto* package : closure->packages)
      text += fmt::format("{}={} ", package->name, package->version);
    for (const auto& name : closure->removed) text += fmt::format("-{} ", name);
    return text;
  }
  std::string solve(std::vector<std::string> install) const { return outcome(request(std::move(install))); }

 private:
  /// Lines "name version[; Field: value]…"
  static apt::PackageIndex read(const std::string& text, const std::string& extra) {
    std::string stanzas;
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      std::string line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.empty()) continue;
      const auto space = line.find(' ');
      const auto semicolon = std::min(line.find(';'), line.size());
      stanzas += fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\n", line.substr(0, space),
                             line.substr(space + 1, semicolon - space - 1));
      for (auto at = semicolon; at < line.size();) {
        const auto next = std::min(line.find(';', at + 1), line.size());
        stanzas += line.substr(at + 2, next - at - 2) + "\n";
        at = next;
      }
      stanzas += extra + "\n";
    }
    auto index = apt::PackageIndex::parse_packages(stanzas, "world");
    EXPECT_TRUE(index) << index.error().message() << "\n" << stanzas;
    return std::move(*index);
  }

  apt::PackageIndex index_;
  apt::PackageIndex status_;
};

TEST(SolveClosure, FollowsDependenciesAndLeavesOutWhatTheMachineHas) {
  const World world(
      "app 1; Depends: lib (>= 2), base; Pre-Depends: early\nlib 2\nbase 1\nearly 1; Depends: deep\ndeep "
      "1\nother 1",
      "base 1");
  EXPECT_EQ(world.solve({"app"}), "app=1 deep=1 early=1 lib=2 ");
}

TEST(SolveClosure, IncludesWhatWasAskedForEvenWhenPresent) {
  const World world("app 1; Depends: lib\nlib 1", "app 1; Depends: lib\nlib 1");
  EXPECT_EQ(world.solve({"app"}), "app=1 ");
}

TEST(SolveClosure, UpgradesOnlyWhatMustBeNewer) {
  const World world("app 2; Depends: lib (>= 2)\nlib 2\nold 2", "lib 1\nold 1");
  EXPECT_EQ(world.solve({"app"}), "app=2 lib=2 ");
}

TEST(SolveClosure, UpgradesAskedForPackagesAndNeverGoesBack) {
  const World world("app 2\nnewer 1", "app 1\nnewer 5");
  EXPECT_EQ(world.solve({"app", "newer"}), "app=2 ");
}

TEST(SolveClosure, KeepsLockstepPackagesTogether) {
  const World world("perl 2; Depends: perl-base (= 2)\nperl-base 2\nperl-doc 2; Depends: perl-base (= 2)",
                    "perl-base 1\nperl-doc 1; Depends: perl-base (= 1)");
  EXPECT_EQ(world.solve({"perl"}), "perl=2 perl-base=2 perl-doc=2 ");
}

TEST(SolveClosure, TakesTheFirstAlternative) {
  const World world("app 1; Depends: zz | aa\nzz 1\naa 1", "");
  EXPECT_EQ(world.solve({"app"}), "app=1 zz=1 ");
}

TEST(SolveClosure, TakesAnAlternativeThatIsNeededAnyway) {
  const World world("app 1; Depends: zz | aa, more\nzz 1\naa 1\nmore 1; Depends: aa", "");
  EXPECT_EQ(world.solve({"app"}), "aa=1 app=1 more=1 ");
}

TEST(SolveClosure, TakesTheAlternativeTheMachineHas) {
  const World world("app 1; Depends: zz | aa\nzz 1\naa 1", "aa 1");
  EXPECT_EQ(world.solve({"app"}), "app=1 ");
}

TEST(SolveClosure, TakesTheRealPackageBeforeAProvider) {
  const World world("app 1; Depends: libsystemd0\nlibelogind0 9; Provides: libsystemd0 (= 9)\nlibsystemd0 1",
                    "");
  EXPECT_EQ(world.solve({"app"}), "app=1 libsystemd0=1 ");
}

TEST(SolveClosure, TakesTheMostImportantProviderOfAVirtualPackage) {
  const World world("app 1; Depends: mta\naa 1; Provides: mta\nzz 1; Provides: mta; Priority: standard", "");
  EXPECT_EQ(world.solve({"app"}), "app=1 zz=1 ");
}

TEST(SolveClosure, TakesTheNextAlternativeWhenTheFirstConflicts) {
  const World world("app 1; Depends: zz | aa\nzz 1; Conflicts: held\naa 1\nheld 1",
                    "held 1; Priority: required");
  EXPECT_EQ(world.solve({"app"}), "aa=1 app=1 ");
}

TEST(SolveClosure, UnversionedProvidesFulfilNoVersionedDependency) {
  const World world("app 1; Depends: api (>= 1)\nother 5; Provides: api\nright 1; Provides: api (= 1)", "");
  EXPECT_EQ(world.solve({"app"}), "app=1 right=1 ");
}

TEST(SolveClosure, AnyQualifierIsForPackagesThatServeOtherArchitectures) {
  const World world("app 1; Depends: py:any\npy 3; Multi-Arch: allowed\nbad 1; Depends: plain:any\nplain 1",
                    "");
  EXPECT_EQ(world.solve({"app"}), "app=1 py=3 ");
  EXPECT_THAT(world.solve({"bad"}), HasSubstr("plain:any"));
}

TEST(SolveClosure, RemovesAReplacedServiceButNoEssentialPackage) {
  const std::string repositories = "chrony 1; Provides: time-daemon; Conflicts: time-daemon";
  const World soft(repositories, "timesyncd 1; Provides: time-daemon");
  EXPECT_EQ(soft.solve({"chrony"}), "chrony=1 -timesyncd ");
  const World hard(repositories, "timesyncd 1; Provides: time-daemon; Essential: yes");
  EXPECT_THAT(hard.solve({"chrony"}), HasSubstr("cannot be installed together"));
}

TEST(SolveClosure, UpgradesWhatANewPackageBreaks) {
  const World world("app 1; Breaks: tool (<< 2)\ntool 2", "tool 1");
  EXPECT_EQ(world.solve({"app"}), "app=1 tool=2 ");
}

TEST(SolveClosure, AnEmptyMachineNeedsTheEssentialPackages) {
  const World world("app 1\ninit 1; Essential: yes; Depends: libc\nlibc 1\nextra 1", "");
  EXPECT_EQ(world.solve({"app"}), "app=1 init=1 libc=1 ");
}

TEST(SolveClosure, RecommendsCountOnlyWhenAskedFor) {
  const World world("app 1; Recommends: nice, missing\nnice 1; Depends: deep\ndeep 1", "");
  EXPECT_EQ(world.solve({"app"}), "app=1 ");
  auto request = world.request({"app"});
  request.recommends = Recommends::install;
  EXPECT_EQ(World::outcome(request), "app=1 deep=1 nice=1 ");
}

TEST(SolveClosure, NamesWhatCannotBeHad) {
  const World world(
      "app 1; Depends: gone (>= 3)\naa 1; Conflicts: bb\nbb 1\nlonger-name 1\nvv 1; Provides: virt\nww 1; "
      "Provides: virt",
      "");
  EXPECT_THAT(world.solve({"app"}), HasSubstr("nothing provides gone >= 3 needed by app-1"));
  EXPECT_THAT(world.solve({"aa", "bb"}), HasSubstr("aa-1"));
  EXPECT_THAT(world.solve({"aa", "bb"}), HasSubstr("conflicts with bb"));
  EXPECT_THAT(world.solve({"longer"}), HasSubstr("no repository of this package set has a package 'longer'"));
  EXPECT_THAT(world.solve({"longer"}), HasSubstr("longer-name"));
  EXPECT_THAT(world.solve({"virt"}),
              HasSubstr("'virt' is a virtual package; name one of those that provide it: vv, ww"));
}

TEST(SolveClosure, APackageThatCannotBeReadHarmsOnlyThoseWhoNeedIt) {
  const World world("app 1\nbad 1; Depends: (((\nneeds 1; Depends: bad", "");
  EXPECT_EQ(world.solve({"app"}), "app=1 ");
  EXPECT_THAT(world.solve({"bad"}), HasSubstr("bad 1, Depends"));
  EXPECT_THAT(world.solve({"needs"}), HasSubstr("nothing provides bad needed by needs-1"));
}

TEST(SolveClosure, WalksDeepChains) {
  std::string repositories;
  for (int i = 0; i < 20000; ++i) repositories += fmt::format("p{} 1; Depends: p{}\n", i + 10, i + 11);
  repositories += "p20010 1";
  const World world(repositories, "");
  EXPECT_THAT(world.solve({"p10"}), HasSubstr("p20010=1"));
}

}  // namespace
}  // namespace sealift::pkgrepo::solver
