// From an upstream file to a verified bundle that holds it compressed, and what can go wrong on the way.
#include <random>

#include "builder/fetch/stored_form.hpp"
#include "lib/archive/zstd.hpp"
#include "tests/integration/fetch/bundle_fixture.hpp"

namespace sealift::test {
namespace {

std::string noise(std::size_t size) {
  std::mt19937 random(20261121);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

class CompressFiles : public BundleTest {
 protected:
  const std::string content_ = lines(300'000);
};

TEST_F(CompressFiles, LockReadsTheFileOnceAndSaysSo) {
  put("kubelet", content_);
  want(at("kubelet"), digest_of(content_));
  const auto locked = lock();
  ASSERT_OK(locked);
  const bundle::LockedBlob& blob = blob_of(*locked, content_);
  EXPECT_EQ(blob.size, content_.size());
  ASSERT_TRUE(blob.stored);
  EXPECT_LT(blob.stored->size, content_.size() / 2);
  EXPECT_EQ(blob.stored->by, archive::zstd_encoder());
  EXPECT_EQ(server_->requests("/file/kubelet"), 2U);  // HEAD for the size, GET
  EXPECT_TRUE(log_.has("files/kubelet: reading 293.0 KiB once"));
  EXPECT_TRUE(log_.has("files/kubelet: 293.0 KiB will be stored as"));
}

TEST_F(CompressFiles, LockReadsTwiceWhatHasNoSizeBeforehand) {
  put("kubelet", content_);
  want(server_->url("nohead/kubelet"), std::nullopt);
  const auto locked = lock();
  ASSERT_OK(locked);
  EXPECT_TRUE(blob_of(*locked, content_).stored);
  EXPECT_EQ(server_->requests("/nohead/kubelet"), 3U);
  EXPECT_TRUE(log_.has("upstream did not say its size"));
}

TEST_F(CompressFiles, LockChecksTheDigestOfWhatItReads) {
  put("kubelet", content_);
  want(at("kubelet"), digest_of("other"));
  EXPECT_FAILS(lock(), ErrorCode::integrity, "expected digest");
}

TEST_F(CompressFiles, LockDoesNotReadWhatIsSmallOrCompressedByNameOrNotWanted) {
  const std::string small = lines(65'535);
  put("small", small);
  put("a.tar.gz", content_);
  want(at("small"), digest_of(small));
  want(at("a.tar.gz"), digest_of(content_));
  const auto locked = lock();
  ASSERT_OK(locked);
  EXPECT_FALSE(blob_of(*locked, small).stored);
  EXPECT_FALSE(blob_of(*locked, content_).stored);
  EXPECT_EQ(server_->requests("/file/small"), 1U);
  EXPECT_EQ(server_->requests("/file/a.tar.gz"), 1U);
  put("kubelet", content_);
  spec_.files.clear();
  spec_.compress_files = false;
  want(at("kubelet"), digest_of(content_));
  const auto plain = lock();
  ASSERT_OK(plain);
  EXPECT_FALSE(blob_of(*plain, content_).stored);
  EXPECT_EQ(server_->requests("/file/kubelet"), 1U);
}

TEST_F(CompressFiles, LockLeavesNoiseAsItIs) {
  const std::string content = noise(200'000);
  put("noise", content);
  want(at("noise"), digest_of(content));
  const auto locked = lock();
  ASSERT_OK(locked);
  EXPECT_FALSE(blob_of(*locked, content).stored);
}

TEST_F(CompressFiles, AManifestByUrlIsCompressedWithoutAnotherReading) {
  std::string manifest = "kind: ConfigMap\ndata:\n";
  while (manifest.size() < 100'000) manifest += fmt::format("  key{}: value\n", manifest.size());
  put("big.yaml", manifest);
  spec_.manifests.push_back({"big", at("big.yaml"), "", digest_of(manifest)});
  const auto locked = lock();
  ASSERT_OK(locked);
  EXPECT_TRUE(blob_of(*locked, manifest).stored);
  EXPECT_EQ(server_->requests("/file/big.yaml"), 1U);
  ASSERT_OK(create(*locked, "x.tar", 1));
  EXPECT_EQ(verified_file("x.tar", "files/manifests/big.yaml").value(), manifest);
}

TEST_F(CompressFiles, CreateStoresItAndGivesTheSameBytesWithAnyNumberOfStreams) {
  const std::string plain = noise(100'000);
  put("kubelet", content_);
  put("kubeadm", lines(1'000'000));
  put("noise", plain);
  want(at("kubelet"), digest_of(content_));
  want(at("kubeadm"), std::nullopt);
  want(at("noise"), std::nullopt);
  const auto locked = lock();
  ASSERT_OK(locked);
  ASSERT_OK(create(*locked, "one.tar", 1));
  ASSERT_OK(create(*locked, "eight.tar", 8));
  EXPECT_TRUE(read_file(path("one.tar"), 1U << 30).value() == read_file(path("eight.tar"), 1U << 30).value());
  for (const auto& [name, content] : std::map<std::string, std::string>{
           {"kubelet", content_}, {"kubeadm", lines(1'000'000)}, {"noise", plain}}) {
    const auto found = verified_file("one.tar", "files/" + name);
    ASSERT_OK(found);
    EXPECT_TRUE(*found == content) << name;
  }
  EXPECT_LT(fs::file_size(path("one.tar")), content_.size() + plain.size());
}

TEST_F(CompressFiles, CreateOutlastsBrokenTransfers) {
  const std::string content = lines(1'000'000);
  bundle::LockedBlob blob = blob_at(server_->url("close/1000000/300000"), content.size());
  builder::StoredFormSink form(content.size());
  ASSERT_OK(form.write(as_bytes(content)));
  blob.stored = *form.finish();
  bundle::Lock lock;
  lock.name = "test";
  lock.version = "1";
  lock.time = *parse_rfc3339("2026-11-21T12:00:00Z");
  lock.platforms = {"linux/amd64"};
  lock.files.push_back({"kubelet", 0644, "", "", blob.digest});
  lock.blobs.emplace(digest_of(content), blob);
  ASSERT_OK(create(lock, "x.tar", 2));
  EXPECT_TRUE(verified_file("x.tar", "files/kubelet").value() == content);
}

class CompressedLock : public CompressFiles {
 protected:
  void SetUp() override {
    CompressFiles::SetUp();
    put("kubelet", content_);
    want(at("kubelet"), digest_of(content_));
    auto locked = lock();
    ASSERT_OK(locked);
    lock_ = std::move(*locked);
  }
  bundle::StoredForm& stored() { return *lock_.blobs.at(digest_of(content_)).stored; }

  bundle::Lock lock_;
};

TEST_F(CompressedLock, AnotherLibrarysLockIsSaidToBeThat) {
  stored().by = "zstd 1.4.9 level 3";
  ASSERT_OK(create(lock_, "same-output.tar", 1));
  for (const std::int64_t difference : {0, 7, -7}) {
    stored().digest = digest_of("what zstd 1.4.9 makes of it");
    stored().size = static_cast<std::uint64_t>(static_cast<std::int64_t>(stored().size) + difference);
    const std::string name = fmt::format("{}.tar", difference);
    EXPECT_FAILS(create(lock_, name, 1), ErrorCode::unsupported,
                 "the lock was made with zstd 1.4.9 level 3, here is " + archive::zstd_encoder());
    EXPECT_FAILS(create(lock_, name, 1), ErrorCode::unsupported, "compressFiles: false");
    EXPECT_FALSE(fs::exists(path(name)));
  }
}

TEST_F(CompressedLock, AnEditedLockIsNotBlamedOnTheLibrary) {
  stored().digest = digest_of("edited");
  EXPECT_FAILS(create(lock_, "x.tar", 1), ErrorCode::integrity, "run sealift lock again");
}

TEST_F(CompressedLock, AChangedUpstreamIsNotBlamedOnTheLibrary) {
  // Compresses to more than locked, which must not be noticed first.
  put("kubelet", noise(content_.size()));
  EXPECT_FAILS(create(lock_, "x.tar", 1), ErrorCode::integrity, at("kubelet"));
  EXPECT_FAILS(create(lock_, "x.tar", 1), ErrorCode::integrity,
               "expected digest " + digest_of(content_).str());
  put("kubelet", content_);
  ASSERT_OK(create(lock_, "x.tar", 1));
  EXPECT_TRUE(verified_file("x.tar", "files/kubelet").value() == content_);
}

}  // namespace
}  // namespace sealift::test
