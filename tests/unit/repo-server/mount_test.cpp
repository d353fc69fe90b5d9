#include <fstream>
#include <future>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "repo-server/mount/verification.hpp"
#include "repo-server/registry/registry.hpp"
#include "tests/unit/repo-server/mounted_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;

using MountTest = MountedBundleTest;

/// Changes one byte in place and puts the old time back: what only reading finds.
void flip_quietly(const fs::path& path, std::uint64_t offset) {
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  const int fd = open(path.c_str(), O_RDWR);
  char byte = 0;
  ASSERT_EQ(pread(fd, &byte, 1, static_cast<off_t>(offset)), 1);
  byte = static_cast<char>(byte ^ 1);
  ASSERT_EQ(pwrite(fd, &byte, 1, static_cast<off_t>(offset)), 1);
  const timespec times[2] = {info.st_atim, info.st_mtim};
  ASSERT_EQ(futimens(fd, times), 0);
  close(fd);
}

TEST_F(MountTest, LaterBundlesWin) {
  test::BundleRecipe older;
  older.image("x.io/a:1", {"old"}).image("x.io/a:2", {"stays"}).file("f", "old file");
  test::BundleRecipe newer;
  newer.image("x.io/a:1", {"new"}).file("f", "new file");
  mount({&older, &newer});
  const Registry registry(overlay, loader);
  EXPECT_THAT(body_of(ask(registry, get("/v2/x.io/a/manifests/1"))), HasSubstr(digest_of("new").str()));
  EXPECT_EQ(ask(registry, get("/v2/x.io/a/manifests/2")).status, 200);
  EXPECT_EQ(overlay.find_file("files/f")->entry->digest, digest_of("new file"));
  EXPECT_TRUE(overlay.find_blob(digest_of("old")));
}

TEST_F(MountTest, NeverServesADamagedBlob) {
  const auto recipe = test::small_bundle();
  const fs::path path = directory.path() / "damaged.tar";
  ASSERT_TRUE(recipe.write(path, {&key}));
  auto verified = open_verified(path, key);
  const Digest digest = verified->contents().find_file("files/notes.txt")->digest;
  flip_quietly(path, *verified->contents().find_blob(digest)->offset + 3);
  overlay = *Overlay::mount({std::make_shared<const MountedBundle>(verified, log)});
  Waiter waiter;
  loader.check(*overlay.find_blob(digest), waiter.callback());
  const Status status = waiter.wait();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::integrity);
  EXPECT_FALSE(verified->is_checked(digest));
}

TEST_F(MountTest, TakesABlobFromTheBundleThatHasItWhole) {
  const auto recipe = test::small_bundle();
  test::BundleRecipe later = test::small_bundle();
  later.file("later.txt", "later");
  mount({&recipe, &later});
  const Registry registry(overlay, loader);
  const std::string layer(10240, '\0');
  const auto request = get("/v2/registry.k8s.io/pause/blobs/" + digest_of(layer).str());
  const auto from = [&] { return overlay.find_blob(digest_of(layer))->bundle->path(); };
  EXPECT_EQ(from(), paths[1]);
  flip_quietly(paths[1], *overlay.find_blob(digest_of(layer))->entry->offset + 3);
  // Found damaged while this very request waited.
  EXPECT_EQ(body_of(ask(registry, request)), layer);
  EXPECT_EQ(from(), paths[0]);

  mount({&recipe, &later});
  EXPECT_EQ(from(), paths[3]);
  std::ofstream(paths[3], std::ios::app) << "x";
  EXPECT_EQ(from(), paths[2]);
  EXPECT_EQ(body_of(ask(registry, request)), layer);
  // In none of them whole: the error says so.
  std::ofstream(paths[2], std::ios::app) << "x";
  EXPECT_EQ(ask(registry, request).status, 503);
}

TEST_F(MountTest, RefusesContentOnceTheFileChanged) {
  const auto recipe = test::small_bundle();
  mount({&recipe});
  const Registry registry(overlay, loader);
  const auto request = get("/v2/registry.k8s.io/pause/blobs/" + digest_of(std::string(10240, '\0')).str());
  EXPECT_EQ(ask(registry, request).status, 200);
  const int fd = open(paths[0].c_str(), O_WRONLY | O_APPEND);
  ASSERT_EQ(write(fd, "x", 1), 1);
  close(fd);
  EXPECT_EQ(ask(registry, request).status, 503);
  EXPECT_THAT(log.text, HasSubstr("written to"));
}

TEST_F(MountTest, WaitersForOneBlobShareItsCheck) {
  const auto recipe = test::small_bundle();
  mount({&recipe});
  const auto blob = overlay.find_blob(digest_of(std::string(300000, 'k')));
  ASSERT_TRUE(blob);
  std::vector<Waiter> waiters(50);
  for (auto& waiter : waiters) loader.check(*blob, waiter.callback());
  for (auto& waiter : waiters) EXPECT_TRUE(waiter.wait());
}

TEST_F(MountTest, SmallWorkNeverWaitsForLarge) {
  const auto recipe = test::small_bundle();
  mount({&recipe});
  ContentLoader one(1, 1U << 20);
  std::promise<void> release;
  Waiter large;
  one.run(
      [&] {
        release.get_future().wait();
        return Status();
      },
      large.callback());
  Waiter small;
  one.load(*overlay.find_blob(digest_of("carried across\n")), small.callback());
  EXPECT_TRUE(small.wait());
  release.set_value();
  EXPECT_TRUE(large.wait());
}

TEST_F(MountTest, StoppingTellsThoseWhoWait) {
  ContentLoader stopped(1, 1024);
  stopped.stop();
  Waiter waiter;
  stopped.run([] { return Status(); }, waiter.callback());
  EXPECT_EQ(waiter.wait().error().code(), ErrorCode::interrupted);
}

TEST_F(MountTest, CacheStaysWithinItsLimit) {
  test::BundleRecipe recipe;
  for (int i = 0; i < 20; ++i)
    recipe.file(fmt::format("f{}", i), std::string(1000, static_cast<char>('a' + i)));
  mount({&recipe});
  ContentLoader small(1, 5000);
  int cached = 0;
  for (const auto& [path, file] : overlay.files()) {
    Waiter waiter;
    small.load(*overlay.find_blob(file.entry->digest), waiter.callback());
    ASSERT_TRUE(waiter.wait());
    EXPECT_TRUE(small.cached(file.entry->digest));
  }
  for (const auto& [path, file] : overlay.files()) cached += small.cached(file.entry->digest) ? 1 : 0;
  EXPECT_LE(cached, 5);
  EXPECT_GE(cached, 4);
}

TEST_F(MountTest, RemembersAFullVerificationOfExactlyThisFile) {
  const auto recipe = test::small_bundle();
  mount({&recipe});
  const fs::path state = directory.path() / "state";
  const auto wait_for_end = [&](const BackgroundVerification& verification) {
    while (verification.reports()[0].state == VerificationState::waiting ||
           verification.reports()[0].state == VerificationState::running) {
      std::this_thread::yield();
    }
    return verification.reports()[0].state;
  };
  EXPECT_EQ(wait_for_end(BackgroundVerification(overlay.bundles(), state, 1, log)),
            VerificationState::complete);
  const auto again = open_verified(paths[0], key);
  const auto remounted = Overlay::mount({std::make_shared<const MountedBundle>(again, log)});
  EXPECT_EQ(BackgroundVerification(remounted->bundles(), state, 1, log).reports()[0].state,
            VerificationState::remembered);
  EXPECT_TRUE(again->is_checked(digest_of("carried across\n")));

  const timespec times[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, paths[0].c_str(), times, 0), 0);
  EXPECT_FALSE(has_verification_record(state, open_verified(paths[0], key)->file()));
}

TEST_F(MountTest, DoesNotRememberAFileWrittenToWithItsOldTimePutBack) {
  const auto recipe = test::small_bundle();
  mount({&recipe});
  const fs::path state = directory.path() / "state";
  const auto& file = overlay.bundles()[0]->verified().file();
  ASSERT_TRUE(write_verification_record(state, file));
  ASSERT_TRUE(has_verification_record(state, file));
  flip_quietly(paths[0], *overlay.find_blob(digest_of("carried across\n"))->entry->offset);
  EXPECT_FALSE(has_verification_record(state, open_verified(paths[0], key)->file()));
  // What changes no byte does not end the serving of a file that is open.
  ASSERT_EQ(chmod(paths[0].c_str(), 0600), 0);
  EXPECT_TRUE(overlay.bundles()[0]->is_unchanged());
}

TEST_F(MountTest, FailedVerificationIsReportedAndNotRemembered) {
  const auto recipe = test::small_bundle();
  mount({&recipe});
  const Digest digest = digest_of("carried across\n");
  flip_quietly(paths[0], *overlay.find_blob(digest)->entry->offset);
  const fs::path state = directory.path() / "state";
  const BackgroundVerification verification(overlay.bundles(), state, 1, log);
  while (verification.reports()[0].state != VerificationState::failed) std::this_thread::yield();
  EXPECT_THAT(verification.reports()[0].error, HasSubstr(digest.str()));
  EXPECT_FALSE(has_verification_record(state, overlay.bundles()[0]->verified().file()));
}

}  // namespace
}  // namespace sealift::repo_server
