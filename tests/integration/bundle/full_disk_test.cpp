// A bundle that does not fit: a real file system of a few MiB, in a mount namespace of this test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/bundle/writer.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tmpfs", folder().c_str(), "tmpfs", 0, "size=4m"), 0);
  }
  void TearDown() override { ::umount2(folder().c_str(), MNT_DETACH); }

  fs::path folder() const { return directory_.path(); }
  void fill(std::size_t bytes) {
    ASSERT_TRUE(write_file_atomically(folder() / "other", std::string(bytes, 'x')));
  }
  Status write() { return test::small_bundle().write(folder() / "x.tar", {&key_}); }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-full");
  PrivateKey key_ = *PrivateKey::generate();
};

TEST_F(FullDisk, IsFoundBeforeTheFirstByteAndLeavesNothing) {
  fill((4U << 20) - 64 * 1024);
  const Status status = write();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::no_space) << status.error().message();
  EXPECT_THAT(status.error().message(),
              testing::AllOf(testing::HasSubstr("the bundle needs"), testing::HasSubstr("are free in")));
  for (const auto& entry : fs::directory_iterator(folder())) EXPECT_EQ(entry.path().filename(), "other");
}

TEST_F(FullDisk, TheSameCallSucceedsOnceThereIsRoom) {
  fill((4U << 20) - 64 * 1024);
  ASSERT_FALSE(write());
  fs::remove(folder() / "other");
  const Status status = write();
  EXPECT_TRUE(status) << status.error().message();
  EXPECT_TRUE(fs::exists(folder() / "x.tar"));
}

}  // namespace
}  // namespace sealift::bundle
