#include "lib/bundle/lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

Lock full_lock() {
  test::BundleRecipe recipe = test::small_bundle();
  Lock lock = recipe.lock();
  lock.kubernetes_version = "v1.20.2";
  lock.kubernetes_images = {"k8s.gcr.io/pause:3.2"};
  const Digest deb = digest_of("deb");
  lock.blobs.emplace(deb,
                     LockedBlob{deb,
                                3,
                                "application/vnd.debian.binary-package",
                                {OriginKind::url, "", "http://deb.example/pool/a.deb", "", {"openpgp x y"}}});
  LockedPackage package{
      "a", "1:2-3", "amd64", "pool/main/a/a/a_2-3_amd64.deb", deb, "Package: a\nVersion: 1:2-3\n"};
  lock.package_sets.push_back({"debian-12", "none", {"amd64"}, {"a"}, {package}});
  const std::string manifest = "kind: List\n";
  lock.blobs.emplace(digest_of(manifest), LockedBlob{digest_of(manifest),
                                                     manifest.size(),
                                                     "application/yaml",
                                                     {OriginKind::inlined, "", "", manifest, {}}});
  lock.files.push_back({"manifests/x.yaml", 0644, "manifest", "", digest_of(manifest)});
  return lock;
}

TEST(Lock, RoundTrips) {
  const std::string text = write_lock(full_lock());
  const auto lock = parse_lock(text, "bundle.lock");
  ASSERT_TRUE(lock) << lock.error().message();
  EXPECT_EQ(write_lock(*lock), text);
  EXPECT_EQ(lock->package_sets.front().packages.front().control, "Package: a\nVersion: 1:2-3\n");
}

TEST(Lock, RejectsInlinedContentOfAnotherDigest) {
  std::string text = write_lock(full_lock());
  const std::string good = to_base64(as_bytes("kind: List\n"));
  text.replace(text.find(good), good.size(), to_base64(as_bytes("kind: Evil\n")));
  const auto lock = parse_lock(text, "bundle.lock");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code(), ErrorCode::integrity);
}

TEST(Lock, RejectsPathsThatNoBundleMayHave) {
  for (const char* path : {"a b", "caf\u00e9", "a\\b", "../a"}) {
    Lock lock = full_lock();
    lock.files.front().path = path;
    const auto read = parse_lock(write_lock(lock), "bundle.lock");
    ASSERT_FALSE(read) << path;
    EXPECT_THAT(read.error().message(), testing::HasSubstr("give another `path:`"));
    EXPECT_FALSE(plan_bundle(lock, {}, {})) << path;
  }
}

TEST(PlanBundle, RefusesWhatNoReaderWouldOpen) {
  test::BundleRecipe path = test::small_bundle();
  path.file("a b", "text");
  ASSERT_FALSE(path.plan());
  EXPECT_THAT(path.plan().error().message(), testing::HasSubstr("\"files/a b\" must be"));

  test::BundleRecipe package = test::small_bundle();
  package.lock() = full_lock();
  package.lock().package_sets.front().target = "debian 12";
  EXPECT_FALSE(package.plan());

  test::BundleRecipe digest = test::small_bundle();
  const Digest sha512 = digest_of(as_bytes("text"), DigestAlgorithm::sha512);
  digest.lock().blobs.emplace(
      sha512, LockedBlob{sha512, 4, "text/plain", {OriginKind::url, "", "https://h/x", "", {}}});
  ASSERT_FALSE(digest.plan());
  EXPECT_THAT(digest.plan().error().message(), testing::HasSubstr("no bundle can be made of this lock"));
}

/// A full lock whose kubelet is stored compressed.
Lock lock_with_stored() {
  Lock lock = full_lock();
  const auto kubelet = std::find_if(lock.files.begin(), lock.files.end(),
                                    [](const auto& file) { return file.role == "kubelet"; });
  EXPECT_TRUE(lock.blobs.at(kubelet->digest).stored);
  return lock;
}

LockedBlob& stored_blob(Lock& lock) {
  return std::find_if(lock.blobs.begin(), lock.blobs.end(),
                      [](const auto& one) { return one.second.stored.has_value(); })
      ->second;
}

std::string error_of(const Lock& lock) {
  const auto read = parse_lock(write_lock(lock), "bundle.lock");
  return read ? "accepted" : read.error().message();
}

TEST(Lock, KeepsTheStoredForm) {
  Lock lock = lock_with_stored();
  stored_blob(lock).stored->by = "zstd 1.4.9 level 3";
  const auto read = parse_lock(write_lock(lock), "bundle.lock");
  ASSERT_TRUE(read) << read.error().message();
  const LockedBlob& blob = read->blobs.at(stored_blob(lock).digest);
  ASSERT_TRUE(blob.stored);
  EXPECT_EQ(blob.stored->by, "zstd 1.4.9 level 3");
  EXPECT_EQ(blob.bundled_digest(), stored_blob(lock).stored->digest);
  EXPECT_EQ(blob.bundled_size(), stored_blob(lock).stored->size);
}

TEST(Lock, RejectsAStoredFormThatMakesNoSense) {
  using testing::HasSubstr;
  Lock lock = lock_with_stored();
  const StoredForm good = *stored_blob(lock).stored;
  StoredForm& stored = *stored_blob(lock).stored;
  for (const std::uint64_t size : {std::uint64_t{0}, stored_blob(lock).size, UINT64_MAX}) {
    stored.size = size;
    EXPECT_THAT(error_of(lock), HasSubstr("expected the sha256 and the size, smaller than"));
  }
  stored = good;
  stored.digest = stored_blob(lock).digest;
  EXPECT_THAT(error_of(lock), HasSubstr("expected the sha256 and the size"));
  stored.digest = digest_of(as_bytes("x"), DigestAlgorithm::sha512);
  EXPECT_THAT(error_of(lock), HasSubstr("expected the sha256 and the size"));
  stored = good;
  stored.digest = lock.images.front().digest;
  EXPECT_THAT(error_of(lock), HasSubstr("is another blob's, too"));
  std::string text = write_lock(lock_with_stored());
  text.replace(text.find("\"zstd\""), 6, "\"gzip\"");
  const auto other = parse_lock(text, "bundle.lock");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::unsupported);
}

TEST(Lock, RejectsCompressedPartsOfImagesAndPackages) {
  for (const bool of_image : {true, false}) {
    Lock lock = lock_with_stored();
    const Digest digest = stored_blob(lock).digest;
    if (of_image) {
      lock.images.front().blobs.push_back(digest);
    } else {
      lock.package_sets.front().packages.front().digest = digest;
    }
    EXPECT_THAT(error_of(lock), testing::HasSubstr("only files may be"));
  }
}

TEST(Lock, RejectsAMissingBlob) {
  Lock lock = full_lock();
  lock.blobs.erase(lock.images.front().digest);
  EXPECT_FALSE(parse_lock(write_lock(lock), "bundle.lock"));
}

}  // namespace
}  // namespace sealift::bundle
