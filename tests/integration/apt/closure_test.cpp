#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/pkgrepo/apt/packages.hpp"
#include "tests/integration/apt/upstream_fixture.hpp"

namespace sealift::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// What the real apt would install on a machine with that status file, from the same mirrors.
std::map<std::string, std::string> apts_choice(const std::string& status,
                                               const std::vector<bundle::RepositorySpec>& repositories,
                                               const std::vector<std::string>& packages,
                                               const std::string& architecture,
                                               std::set<std::string>* removals = nullptr) {
  const auto apt = AptClient::create(status, sources_list(repositories), architecture);
  EXPECT_TRUE(apt) << apt.error().message();
  const auto update = apt->get({"update"});
  EXPECT_TRUE(update.ok()) << update.out << update.err;
  std::vector<std::string> arguments{"--simulate", "--no-install-recommends", "install"};
  arguments.insert(arguments.end(), packages.begin(), packages.end());
  const auto simulated = apt->get(arguments);
  EXPECT_TRUE(simulated.ok()) << simulated.out << simulated.err;
  if (removals != nullptr) *removals = simulated_removals(simulated.out);
  return simulated_installs(simulated.out);
}

/// What ours has and apt's has not, by name and version, and the other way round.
std::string difference(const std::map<std::string, std::string>& ours,
                       const std::map<std::string, std::string>& apts) {
  std::string text;
  for (const auto& [name, version] : ours) {
    const auto found = apts.find(name);
    if (found == apts.end() || found->second != version) text += fmt::format("+{} {}\n", name, version);
  }
  for (const auto& [name, version] : apts) {
    const auto found = ours.find(name);
    if (found == ours.end() || found->second != version) text += fmt::format("-{} {}\n", name, version);
  }
  return text;
}

class Closure : public UpstreamTest {};

TEST_F(Closure, OnAMinimalMachineIsWhatAptWouldInstall) {
  const auto minimal = minimal_system(repositories_);
  ASSERT_TRUE(minimal) << minimal.error().message();
  const auto resolved = builder::resolve_package_set(spec(file("status", minimal->status)), context());
  ASSERT_TRUE(resolved) << resolved.error().message();
  const auto apts = apts_choice(minimal->status, repositories_, kClusterPackages, machine_architecture());
  EXPECT_EQ(difference(versions_of(resolved->set), apts), "");
  EXPECT_GT(apts.size(), kClusterPackages.size());
}

TEST_F(Closure, OnThisMachineIsWhatAptWouldInstallAndWhatWasAskedFor) {
  const auto status = read_file("/var/lib/dpkg/status", 64U << 20);
  ASSERT_TRUE(status);
  const auto resolved = builder::resolve_package_set(spec(file("status", *status)), context());
  ASSERT_TRUE(resolved) << resolved.error().message();
  auto ours = versions_of(resolved->set);
  const auto apts = apts_choice(*status, repositories_, kClusterPackages, machine_architecture());
  // What was asked for is in the set even where the machine has it.
  for (const std::string& name : kClusterPackages) {
    EXPECT_TRUE(ours.contains(name)) << name;
    if (!apts.contains(name)) ours.erase(name);
  }
  EXPECT_EQ(difference(ours, apts), "");
}

TEST_F(Closure, WithRecommendsIsWhatAptWouldInstall) {
  const auto minimal = minimal_system(repositories_);
  ASSERT_TRUE(minimal) << minimal.error().message();
  const std::vector<std::string> install{"keepalived", "chrony", "nginx"};
  auto with = spec(file("status", minimal->status), install);
  with.recommends = true;
  const auto resolved = builder::resolve_package_set(with, context());
  ASSERT_TRUE(resolved) << resolved.error().message();
  const auto apt = AptClient::create(minimal->status, sources_list(repositories_), machine_architecture());
  ASSERT_TRUE(apt);
  ASSERT_TRUE(apt->get({"update"}).ok());
  const auto simulated =
      apt->get({"--simulate", "--install-recommends", "install", "keepalived", "chrony", "nginx"});
  ASSERT_TRUE(simulated.ok()) << simulated.err;
  EXPECT_EQ(difference(versions_of(resolved->set), simulated_installs(simulated.out)), "");
}

/// The names of every Essential package of the mirrors, by apt's own word.
std::vector<std::string> essential_names(const AptClient& apt) {
  std::vector<std::string> names;
  const auto listed = apt.tool({"apt-cache", "dumpavail"});
  EXPECT_TRUE(listed.ok()) << listed.err;
  const auto index = pkgrepo::apt::PackageIndex::parse_packages(listed.out, "dumpavail");
  EXPECT_TRUE(index) << index.error().message();
  if (!index) return names;
  for (const auto& package : index->packages()) {
    if (package.essential) names.emplace_back(package.name);
  }
  return names;
}

// An empty machine of another architecture needs the Essential packages too, which apt takes for granted.
TEST_F(Closure, OnAnEmptyMachineOfAnotherArchitectureIsAptsWithTheEssentialPackages) {
  const std::string other = machine_architecture() == "arm64" ? "amd64" : "arm64";
  auto set = spec("none");
  set.architectures = {other};
  const auto resolved = builder::resolve_package_set(set, context());
  ASSERT_TRUE(resolved) << resolved.error().message();
  const auto apt = AptClient::create("", sources_list(repositories_), other);
  ASSERT_TRUE(apt) << apt.error().message();
  ASSERT_TRUE(apt->get({"update"}).ok());
  std::vector<std::string> arguments{"--simulate", "--no-install-recommends", "install"};
  const auto essential = essential_names(*apt);
  EXPECT_GT(essential.size(), 15U);
  arguments.insert(arguments.end(), kClusterPackages.begin(), kClusterPackages.end());
  arguments.insert(arguments.end(), essential.begin(), essential.end());
  const auto simulated = apt->get(arguments);
  ASSERT_TRUE(simulated.ok()) << simulated.out << simulated.err;
  EXPECT_EQ(difference(versions_of(resolved->set), simulated_installs(simulated.out)), "");
}

TEST_F(Closure, WithAShippedBaselineLeavesOutWhatItNames) {
  if (repositories_.front().suites.front() != "bookworm") GTEST_SKIP() << "the baseline is one of Debian 12";
  auto with = context();
  with.baseline_directories = {fs::path(SEALIFT_SOURCE_DIR) / "manifests/baselines"};
  const auto resolved = builder::resolve_package_set(spec("debian-12-minimal"), with);
  ASSERT_TRUE(resolved) << resolved.error().message();
  const auto ours = versions_of(resolved->set);
  for (const std::string& name : kClusterPackages) EXPECT_TRUE(ours.contains(name)) << name;
  for (const char* present : {"bash", "coreutils", "systemd", "openssh-server", "iproute2"}) {
    EXPECT_FALSE(ours.contains(present)) << present;
  }
}

TEST_F(Closure, OfPackagesInConflictNamesThem) {
  const auto resolved =
      builder::resolve_package_set(spec("none", {"exim4-daemon-light", "postfix"}), context());
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code(), ErrorCode::conflict);
  EXPECT_THAT(resolved.error().message(), HasSubstr("exim4-daemon-light"));
  EXPECT_THAT(resolved.error().message(), HasSubstr("postfix"));
  EXPECT_THAT(resolved.error().message(), HasSubstr("conflicts"));
}

TEST_F(Closure, OfAnUnknownPackageNamesIt) {
  const auto resolved = builder::resolve_package_set(spec("none", {"keepalivedd"}), context());
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(resolved.error().message(), HasSubstr("'keepalivedd'"));
}

}  // namespace
}  // namespace sealift::test
