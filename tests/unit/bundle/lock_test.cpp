#include "lib/bundle/lock.hpp"

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
  lock.blobs.emplace(deb, LockedBlob{deb, 3, "application/vnd.debian.binary-package",
                                     {OriginKind::url, "", "http://deb.example/pool/a.deb", "", {"openpgp x y"}}});
  LockedPackage package{"a", "1:2-3", "amd64", "pool/main/a/a/a_2-3_amd64.deb", deb, "Package: a\nVersion: 1:2-3\n"};
  lock.package_sets.push_back({"debian-12", "none", {"amd64"}, {"a"}, {package}});
  const std::string manifest = "kind: List\n";
  lock.blobs.emplace(digest_of(manifest), LockedBlob{digest_of(manifest), manifest.size(), "application/yaml",
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

TEST(Lock, RejectsAMissingBlob) {
  Lock lock = full_lock();
  lock.blobs.erase(lock.images.front().digest);
  EXPECT_FALSE(parse_lock(write_lock(lock), "bundle.lock"));
}

}  // namespace
}  // namespace sealift::bundle
