#include "lib/pkgrepo/apt/packages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/pkgrepo/apt/candidates.hpp"

namespace sealift::pkgrepo::apt {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string kSha(64, 'a');

std::string stanza(const std::string& extra, const std::string& name = "nginx",
                   const std::string& version = "1.22.1-9") {
  return fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\n{}\n", name, version, extra);
}

std::string listed(const std::string& name, const std::string& version,
                   const std::string& architecture = "amd64") {
  return fmt::format(
      "Package: {0}\nVersion: {1}\nArchitecture: {2}\nFilename: pool/{0}_{1}_{2}.deb\nSize: 1\nSHA256: "
      "{3}\n\n",
      name, version, architecture, kSha);
}

TEST(ParsePackages, ReadsEveryFieldThatMatters) {
  const auto index =
      PackageIndex::parse_packages(stanza("Source: nginx-src (1.22)\nPriority: required\nEssential: "
                                          "yes\nMulti-Arch: foreign\nDepends: libc6\n"
                                          "Pre-Depends: dpkg\nRecommends: r\nProvides: httpd\nConflicts: "
                                          "c\nBreaks: b\nFilename: ./pool/n.deb\nSize: 42\n"
                                          "SHA256: " +
                                          kSha + "\n"),
                                   "Packages");
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_THAT(index->packages(), SizeIs(1));
  const Package& package = index->packages().front();
  EXPECT_EQ(package.source, "nginx-src");
  EXPECT_EQ(package.priority, Priority::required);
  EXPECT_TRUE(package.essential);
  EXPECT_EQ(package.multi_arch, MultiArch::foreign);
  EXPECT_EQ(package.depends, "libc6");
  EXPECT_EQ(package.pre_depends, "dpkg");
  EXPECT_EQ(package.provides, "httpd");
  EXPECT_EQ(package.filename, "pool/n.deb");
  EXPECT_EQ(package.size, 42U);
}

TEST(ParsePackages, SurvivesBeingMoved) {
  auto index = PackageIndex::parse_packages(listed("aa", "1"), "Packages");
  ASSERT_TRUE(index);
  const PackageIndex moved = std::move(*index);
  EXPECT_EQ(moved.packages().front().name, "aa");
}

TEST(ParsePackages, RefusesHostileStanzas) {
  for (const std::string extra :
       {"Filename: ../../etc/passwd\nSize: 1\n", "Filename: /etc/passwd\nSize: 1\n", "Filename: a b.deb\n",
        "Filename: a?b.deb\n", "Filename: pool/x.deb\nSize: -1\n", "Filename: pool/x.deb\nSize: 1x\n",
        "Filename: pool/x.deb\nSHA256: abc\n", "Size: 1\n", "Filename: pool/x.deb\nFilename: pool/y.deb\n"}) {
    const auto index = PackageIndex::parse_packages(stanza(extra), "Packages");
    ASSERT_FALSE(index) << extra;
    EXPECT_EQ(index.error().code(), ErrorCode::integrity);
    EXPECT_THAT(index.error().message(), HasSubstr("Packages, line"));
  }
  EXPECT_FALSE(
      PackageIndex::parse_packages("Package: ../x\nVersion: 1\nArchitecture: amd64\nFilename: x\n", "P"));
  EXPECT_FALSE(
      PackageIndex::parse_packages("Package: xx\nVersion: $(id)\nArchitecture: amd64\nFilename: x\n", "P"));
  EXPECT_FALSE(PackageIndex::parse_packages("Package: xx\nVersion: 1\nFilename: x\n", "P"));
}

TEST(ParseStatus, CountsOnlyWhatIsInstalled) {
  const std::string text = stanza("Status: install ok installed\n", "here") +
                           stanza("Status: deinstall ok config-files\n", "gone") +
                           stanza("Status: install ok half-configured\n", "broken") +
                           stanza("Status: hold ok installed\n", "held") +
                           stanza("Status: install ok triggers-pending\n", "waits") +
                           stanza("Status: purge ok not-installed\n", "never");
  const auto index = PackageIndex::parse_status(text, "status");
  ASSERT_TRUE(index) << index.error().message();
  std::vector<std::string> names;
  for (const auto& package : index->packages()) names.emplace_back(package.name);
  EXPECT_THAT(names, testing::ElementsAre("here", "held", "waits"));
}

TEST(ParseStatus, RefusesAPackagesFile) {
  const auto index = PackageIndex::parse_status(listed("aa", "1"), "status");
  ASSERT_FALSE(index);
  EXPECT_THAT(index.error().message(), HasSubstr("expected dpkg's status file"));
}

TEST(PortableControl, DropsWhatBelongsToOneRepository) {
  const auto control = portable_control(
      "Package: nginx\nVersion: 1\nFilename: pool/x\nSize: 3\nMD5sum: 0\nSHA256: 1\n"
      "Phased-Update-Percentage: 10\nDescription: web\n server\n .\n more\nTag:\n a,\n b",
      "nginx");
  ASSERT_TRUE(control);
  EXPECT_EQ(*control, "Package: nginx\nVersion: 1\nDescription: web\n server\n .\n more\nTag:\n a,\n b\n");
}

TEST(SelectCandidates, TakesPriorityThenVersionThenTheFirstIndex) {
  const auto stable = PackageIndex::parse_packages(
      listed("aa", "1.0") + listed("bb", "2.0") + listed("cc", "1") + listed("dd", "1", "arm64"), "stable");
  const auto security = PackageIndex::parse_packages(
      listed("aa", "1.0+deb12u1") + listed("bb", "1.9") + listed("cc", "1", "all"), "security");
  const auto backports = PackageIndex::parse_packages(listed("aa", "3.0") + listed("ee", "1"), "backports");
  ASSERT_TRUE(stable && security && backports);
  const auto candidates =
      select_candidates({{&*stable, 500}, {&*security, 500}, {&*backports, 100}}, "amd64");
  std::string found;
  for (const auto& c : candidates)
    found += fmt::format("{}={}@{} ", c.package->name, c.package->version, c.index);
  EXPECT_EQ(found, "aa=1.0+deb12u1@1 bb=2.0@0 cc=1@0 ee=1@2 ");
}

}  // namespace
}  // namespace sealift::pkgrepo::apt
