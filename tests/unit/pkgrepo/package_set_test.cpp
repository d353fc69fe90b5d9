#include "builder/packages/package_set.hpp"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/packages/baseline.hpp"
#include "lib/pkgrepo/apt/release.hpp"
#include "lib/pkgrepo/compression.hpp"

namespace sealift::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

namespace apt = pkgrepo::apt;

const Timestamp kNow = *parse_rfc3339("2026-01-10T00:00:00Z");

/// An upstream of a few documents, signed by a key made for the test.
class ResolvePackageSet : public testing::Test {
 protected:
  ResolvePackageSet()
      : key_(std::move(*openpgp::SecretKey::generate(
            openpgp::KeyAlgorithm::ed25519, "Upstream <u@example.com>", kNow - std::chrono::hours(100)))) {
    directory_.emplace(std::move(*TemporaryDirectory::create("package-set")));
    EXPECT_TRUE(write_file_atomically(directory_->path() / "keys.gpg", key_.public_key()));
    release_.suite = "stable";
    release_.codename = "bookworm";
    release_.date = kNow - std::chrono::hours(1);
    release_.architectures = {"amd64", "arm64"};
    release_.components = {"main"};
    release_.all_in_each_architecture = true;
    set_.target = "debian-12";
    set_.baseline = "none";
    set_.architectures = {"amd64"};
    set_.repositories = {{"http://example.com/debian/", {"bookworm"}, {"main"}, "keys.gpg"}};
    set_.install = {"app"};
  }

  static std::string stanza(const std::string& name, const std::string& version,
                            const std::string& extra = "") {
    return fmt::format(
        "Package: {0}\nVersion: {1}\nArchitecture: amd64\nFilename: pool/{0}_{1}_amd64.deb\nSize: "
        "10\nSHA256: {2}\n{3}\n",
        name, version, digest_of(name + version).hex(), extra);
  }

  void put_index(const std::string& path, const std::string& text) {
    const auto content = pkgrepo::compress(text, pkgrepo::compression_of(path));
    release_.files.insert_or_assign(path, apt::IndexFile{digest_of(*content), content->size()});
    documents_[base_ + path] = *content;
  }

  /// Writes and signs the Release as it stands now.
  void sign() {
    documents_[base_ + "InRelease"] =
        *key_.sign_cleartext(apt::write_release(release_), kNow - std::chrono::hours(1));
  }

  Result<ResolvedPackageSet> resolve() {
    const auto download = [this](const std::string& url, std::uint64_t limit) -> Result<std::string> {
      asked_.push_back(url);
      const auto found = documents_.find(url);
      if (found == documents_.end()) return fail(ErrorCode::not_found, "{}", url);
      if (found->second.size() > limit) return fail(ErrorCode::integrity, "{} is too large", url);
      return found->second;
    };
    return resolve_package_set(
        set_, {download, log_, directory_->path(), {directory_->path()}, {}, [] { return kNow; }});
  }

  void expect_error(ErrorCode code, const std::string& words) {
    const auto resolved = resolve();
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code(), code) << resolved.error().message();
    EXPECT_THAT(resolved.error().message(), HasSubstr(words));
  }

  std::string base_ = "http://example.com/debian/dists/bookworm/";
  openpgp::SecretKey key_;
  std::optional<TemporaryDirectory> directory_;
  apt::Release release_;
  bundle::PackageSetSpec set_;
  std::map<std::string, std::string> documents_;
  std::vector<std::string> asked_;
  Log log_{LogLevel::error};
};

TEST_F(ResolvePackageSet, RefusesAnEntryThatTheLockCannotHold) {
  put_index("main/binary-amd64/Packages.xz", stanza("app", "1", "Maintainer: J\xF6rg <j@example.com>\n"));
  sign();
  expect_error(ErrorCode::invalid_argument,
               "app 1: its entry in the package index of http://example.com/debian");
}

TEST_F(ResolvePackageSet, LocksOriginDigestAndEvidence) {
  put_index("main/binary-amd64/Packages.xz",
            stanza("app", "1:2.0-1", "Depends: dep\n") + stanza("dep", "1") + stanza("other", "1"));
  sign();
  const auto resolved = resolve();
  ASSERT_TRUE(resolved) << resolved.error().message();
  ASSERT_THAT(resolved->set.packages, SizeIs(2));
  const auto& app = resolved->set.packages[0];
  EXPECT_EQ(app.filename, "pool/main/a/app/app_2.0-1_amd64.deb");
  EXPECT_EQ(app.digest, digest_of("app1:2.0-1"));
  EXPECT_EQ(app.control, "Package: app\nVersion: 1:2.0-1\nArchitecture: amd64\nDepends: dep\n");
  ASSERT_THAT(resolved->blobs, SizeIs(2));
  for (const auto& blob : resolved->blobs) {
    EXPECT_EQ(blob.size, 10U);
    EXPECT_THAT(blob.origin.evidence, ElementsAre("openpgp " + base_ + "InRelease " + key_.fingerprint()));
    const std::string name = blob.digest == app.digest ? "app_1:2.0-1_amd64.deb" : "dep_1_amd64.deb";
    EXPECT_EQ(blob.origin.url, "http://example.com/debian/pool/" + name);
  }
}

TEST_F(ResolvePackageSet, ReadsEveryFormOfIndex) {
  for (const char* name : {"Packages", "Packages.gz", "Packages.xz"}) {
    release_.files.clear();
    put_index(std::string("main/binary-amd64/") + name, stanza("app", "1"));
    sign();
    const auto resolved = resolve();
    EXPECT_TRUE(resolved) << name << ": " << resolved.error().message();
  }
}

TEST_F(ResolvePackageSet, FallsBackToReleaseWithItsSignature) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  const std::string text = apt::write_release(release_);
  documents_[base_ + "Release"] = text;
  documents_[base_ + "Release.gpg"] = *key_.sign_detached(text, kNow);
  EXPECT_TRUE(resolve());
  documents_[base_ + "Release"] += "X: y\n";
  expect_error(ErrorCode::untrusted, "bad signature");
  documents_.erase(base_ + "Release.gpg");
  expect_error(ErrorCode::untrusted, "unsigned repositories are not used");
}

TEST_F(ResolvePackageSet, PrefersByHashAndFallsBackToTheName) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  release_.acquire_by_hash = true;
  sign();
  EXPECT_TRUE(resolve());
  const std::string hex = release_.files.begin()->second.digest.hex();
  EXPECT_THAT(asked_, testing::Contains(base_ + "main/binary-amd64/by-hash/SHA256/" + hex));
  documents_[base_ + "main/binary-amd64/by-hash/SHA256/" + hex] =
      documents_[base_ + "main/binary-amd64/Packages"];
  documents_.erase(base_ + "main/binary-amd64/Packages");
  EXPECT_TRUE(resolve());
}

TEST_F(ResolvePackageSet, ReadsAFlatRepository) {
  base_ = "http://example.com/debian/";
  set_.repositories[0].suites = {"/"};
  set_.repositories[0].components = {};
  put_index("Packages.gz", stanza("app", "1"));
  release_.codename = release_.suite = "";
  sign();
  const auto resolved = resolve();
  ASSERT_TRUE(resolved) << resolved.error().message();
  EXPECT_EQ(resolved->blobs.at(0).origin.url, "http://example.com/debian/pool/app_1_amd64.deb");
  set_.repositories[0].components = {"main"};
  expect_error(ErrorCode::invalid_argument, "a flat repository and has no components");
}

TEST_F(ResolvePackageSet, ReadsAllFromItsOwnIndexWhereItIsApart) {
  put_index("main/binary-amd64/Packages", stanza("app", "1", "Depends: data\n"));
  std::string data = stanza("data", "1");
  data.replace(data.find("Architecture: amd64"), 19, "Architecture: all");
  put_index("main/binary-all/Packages", data);
  release_.architectures.emplace_back("all");
  release_.all_in_each_architecture = false;
  sign();
  const auto resolved = resolve();
  ASSERT_TRUE(resolved) << resolved.error().message();
  EXPECT_THAT(resolved->set.packages, SizeIs(2));
}

TEST_F(ResolvePackageSet, RefusesAnExpiredRelease) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  release_.valid_until = kNow - std::chrono::hours(2);
  sign();
  expect_error(ErrorCode::untrusted, "was valid until");
}

TEST_F(ResolvePackageSet, RefusesTheReleaseOfAnotherSuite) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  release_.codename = "bullseye";
  release_.suite = "oldstable";
  sign();
  expect_error(ErrorCode::untrusted,
               "is the Release of suite 'oldstable' (codename 'bullseye'), not of 'bookworm'");
}

TEST_F(ResolvePackageSet, RefusesAKeyThatIsNotInTheKeyring) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  sign();
  const auto stranger =
      openpgp::SecretKey::generate(openpgp::KeyAlgorithm::ed25519, "Stranger <s@example.com>", kNow);
  ASSERT_TRUE(write_file_atomically(directory_->path() / "keys.gpg", stranger->public_key()));
  expect_error(ErrorCode::untrusted, "no key for the signature by key id");
  set_.repositories[0].keyring = "";
  expect_error(ErrorCode::invalid_argument, "names no keyring");
}

TEST_F(ResolvePackageSet, RefusesAnIndexThatIsNotTheSignedOne) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  sign();
  auto& index = documents_[base_ + "main/binary-amd64/Packages"];
  index.replace(index.find("Version: 1"), 10, "Version: 2");
  expect_error(ErrorCode::integrity, "the signed Release says sha256:");
  index.pop_back();
  expect_error(ErrorCode::integrity, "bytes, found");
}

TEST_F(ResolvePackageSet, NamesWhatARepositoryDoesNotHave) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  sign();
  set_.architectures = {"s390x"};
  expect_error(ErrorCode::invalid_argument, "has nothing for architecture s390x; it has: amd64, arm64");
  set_.architectures = {"amd64"};
  set_.repositories[0].components = {"contrib"};
  expect_error(ErrorCode::invalid_argument, "has no component 'contrib'; it has: main");
}

TEST_F(ResolvePackageSet, RefusesAPackageWithoutSha256) {
  put_index("main/binary-amd64/Packages",
            "Package: app\nVersion: 1\nArchitecture: amd64\nFilename: x.deb\nSize: 1\n");
  sign();
  expect_error(ErrorCode::untrusted, "its index gives no SHA256");
}

TEST_F(ResolvePackageSet, SolvesEachArchitectureForItself) {
  put_index("main/binary-amd64/Packages", stanza("app", "1", "Depends: dep\n") + stanza("dep", "1"));
  std::string arm = stanza("app", "1");
  arm.replace(arm.find("amd64"), 5, "arm64");
  arm.replace(arm.find("_amd64.deb"), 10, "_arm64.deb");
  arm.replace(arm.find("SHA256: "), 10, "SHA256: 00");
  put_index("main/binary-arm64/Packages", arm);
  sign();
  set_.architectures = {"arm64", "amd64", "amd64"};
  const auto resolved = resolve();
  ASSERT_TRUE(resolved) << resolved.error().message();
  EXPECT_THAT(resolved->set.architectures, ElementsAre("amd64", "arm64"));
  std::vector<std::string> found;
  for (const auto& package : resolved->set.packages)
    found.push_back(package.name + ":" + package.architecture);
  EXPECT_THAT(found, ElementsAre("app:amd64", "app:arm64", "dep:amd64"));
}

TEST_F(ResolvePackageSet, KnowsNamedBaselinesStatusFilesAndNone) {
  put_index("main/binary-amd64/Packages", stanza("app", "1", "Depends: dep, core\n") + stanza("dep", "1") +
                                              stanza("core", "1", "Essential: yes\n"));
  sign();
  EXPECT_THAT(resolve()->set.packages, SizeIs(3));
  ASSERT_TRUE(write_file_atomically(directory_->path() / "small.list",
                                    "# a machine\n dep # has this\nunknown-here\n"));
  set_.baseline = "small";
  EXPECT_THAT(resolve()->set.packages, SizeIs(1)) << "Essential packages are part of every named baseline";
  ASSERT_TRUE(write_file_atomically(
      directory_->path() / "status",
      "Package: core\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"));
  for (const char* path : {"status", "./status"}) {
    set_.baseline = path;
    const auto resolved = resolve();
    ASSERT_TRUE(resolved) << resolved.error().message();
    EXPECT_THAT(resolved->set.packages, SizeIs(2));
  }
  set_.baseline = "tiny";
  expect_error(ErrorCode::invalid_argument, "there are: small");
  set_.baseline = "";
  expect_error(ErrorCode::invalid_argument, "needs a baseline");
}

TEST_F(ResolvePackageSet, RefusesAStatusFileOfAnotherArchitecture) {
  put_index("main/binary-amd64/Packages", stanza("app", "1"));
  sign();
  ASSERT_TRUE(write_file_atomically(
      directory_->path() / "status",
      "Package: core\nStatus: install ok installed\nVersion: 1\nArchitecture: arm64\n"));
  set_.baseline = "status";
  expect_error(ErrorCode::invalid_argument, "comes from a machine of another architecture");
}

TEST(ParseBaselineList, NamesTheBadLine) {
  EXPECT_THAT(*parse_baseline_list("\n# c\naa\n  bb # x\n", "small.list"), ElementsAre("aa", "bb"));
  const auto bad = parse_baseline_list("aa\n../evil\n", "small.list");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message(), HasSubstr("small.list, line 2: '../evil'"));
}

TEST(DebianArchitecture, KnowsOciPlatforms) {
  EXPECT_EQ(*debian_architecture("linux/amd64"), "amd64");
  EXPECT_EQ(*debian_architecture("linux/arm64/v8"), "arm64");
  EXPECT_EQ(*debian_architecture("linux/ppc64le"), "ppc64el");
  EXPECT_FALSE(debian_architecture("windows/amd64"));
}

}  // namespace
}  // namespace sealift::builder
