#include "lib/pkgrepo/apt/repository.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/pkgrepo/apt/packages.hpp"
#include "lib/pkgrepo/apt/release.hpp"

namespace sealift::pkgrepo::apt {
namespace {

using testing::HasSubstr;

const Timestamp kTime = *parse_rfc3339("2026-11-20T23:12:00Z");

PoolPackage package(const std::string& name, const std::string& architecture) {
  return {fmt::format("Package: {}\nVersion: 1:2.0-1\nArchitecture: {}\nDescription: short\n long\n", name,
                      architecture),
          pool_path(name, name, "1:2.0-1", architecture, ""), 42, digest_of(name)};
}

std::vector<RepositoryIndex> sample() {
  const auto indexes =
      write_repository({package("aa", "amd64"), package("bb", "all"), package("cc", "arm64")},
                       {"arm64", "amd64"}, kTime, "sample");
  EXPECT_TRUE(indexes) << indexes.error().message();
  return indexes.value_or(std::vector<RepositoryIndex>());
}

std::string content(const std::vector<RepositoryIndex>& indexes, const std::string& path) {
  for (const auto& index : indexes) {
    if (index.path == path) return index.content;
  }
  ADD_FAILURE() << "no " << path;
  return "";
}

TEST(PoolPath, FollowsDebiansLayout) {
  EXPECT_EQ(pool_path("nginx", "nginx", "1.22.1-9", "amd64", "pool/main/n/nginx/nginx_1.22.1-9_amd64.deb"),
            "pool/main/n/nginx/nginx_1.22.1-9_amd64.deb");
  EXPECT_EQ(pool_path("libxyz", "libxyz1", "1", "all", "x/libxyz1_1_all.deb"),
            "pool/main/libx/libxyz/libxyz1_1_all.deb");
  EXPECT_EQ(pool_path("lib", "lib", "1", "all", "x/y_1_all.deb"), "pool/main/l/lib/y_1_all.deb");
}

TEST(PoolPath, MakesANameWhereUpstreamsIsNotPlain) {
  EXPECT_EQ(pool_path("aa", "aa", "1:2.0-1", "amd64", "pool/aa_1%3a2.0-1_amd64.deb"),
            "pool/main/a/aa/aa_2.0-1_amd64.deb");
  EXPECT_EQ(pool_path("aa", "aa", "2.0", "amd64", "download"), "pool/main/a/aa/aa_2.0_amd64.deb");
}

TEST(WriteRepository, ListsEveryIndexByItsDigest) {
  const auto indexes = sample();
  const auto release = parse_release(content(indexes, "dists/stable/Release"), "Release");
  ASSERT_TRUE(release) << release.error().message();
  EXPECT_EQ(release->files.size(), 2U);
  EXPECT_TRUE(release->acquire_by_hash);
  for (const auto& [path, file] : release->files) {
    const std::string text = content(indexes, "dists/stable/" + path);
    EXPECT_EQ(digest_of(text), file.digest) << path;
    EXPECT_EQ(text.size(), file.size) << path;
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    EXPECT_EQ(content(indexes, "dists/stable/" + folder + "by-hash/SHA256/" + file.digest.hex()), text);
    EXPECT_THAT(path, testing::EndsWith("/Packages")) << "only the form that no compressor has a say in";
  }
}

TEST(WriteRepository, GivesEachArchitectureItsOwnAndAll) {
  const auto indexes = sample();
  const auto amd64 =
      PackageIndex::parse_packages(content(indexes, "dists/stable/main/binary-amd64/Packages"), "amd64");
  ASSERT_TRUE(amd64) << amd64.error().message();
  ASSERT_EQ(amd64->packages().size(), 2U);
  EXPECT_EQ(amd64->packages()[0].name, "aa");
  EXPECT_EQ(amd64->packages()[1].name, "bb");
  EXPECT_EQ(amd64->packages()[0].filename, "pool/main/a/aa/aa_2.0-1_amd64.deb");
  EXPECT_EQ(amd64->packages()[0].size, 42U);
  EXPECT_EQ(amd64->packages()[0].sha256, digest_of("aa").hex());
}

TEST(WriteRepository, GivesTheSameBytesWithEachPathOnce) {
  const auto first = sample();
  const auto second = sample();
  ASSERT_EQ(first.size(), second.size());
  std::set<std::string> paths;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].path, second[i].path);
    EXPECT_EQ(first[i].content, second[i].content);
    EXPECT_TRUE(paths.insert(first[i].path).second) << first[i].path;
  }
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end(),
                             [](const auto& a, const auto& b) { return a.path < b.path; }));
}

TEST(WriteRepository, RefusesControlThatSmugglesAStanza) {
  PoolPackage evil = package("aa", "amd64");
  evil.control += "\nPackage: smuggled\nVersion: 1\nArchitecture: amd64\n";
  EXPECT_FALSE(write_repository({evil}, {"amd64"}, kTime, ""));
  evil = package("aa", "amd64");
  evil.control = "Package: aa\nVersion: 1\n";
  EXPECT_FALSE(write_repository({evil}, {"amd64"}, kTime, ""));
  evil = package("aa", "amd64");
  evil.filename = "../x.deb";
  EXPECT_FALSE(write_repository({evil}, {"amd64"}, kTime, ""));
  EXPECT_FALSE(write_repository({}, {"../amd64"}, kTime, ""));
}

TEST(WriteRepository, AnEmptySetIsARepositoryToo) {
  const auto indexes = write_repository({}, {"amd64"}, kTime, "");
  ASSERT_TRUE(indexes) << indexes.error().message();
  EXPECT_EQ(content(*indexes, "dists/stable/main/binary-amd64/Packages"), "");
}

}  // namespace
}  // namespace sealift::pkgrepo::apt
