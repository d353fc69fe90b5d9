#include "lib/base/files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sealift {
namespace {

class Files : public testing::Test {
 protected:
  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "file";
};

TEST_F(Files, WritesAtomicallyWithTheExactMode) {
  ASSERT_TRUE(write_file_atomically(path_, "secret", 0600));
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(read_file(path_, 10).value(), "secret");
}

TEST_F(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
  ASSERT_TRUE(write_file_atomically(path_, "old"));
  // A folder in the way of the temporary file's rename: renaming a file over a folder fails.
  const fs::path folder = directory_.path() / "folder";
  ASSERT_TRUE(sealift::create_directories(folder / "inner"));
  EXPECT_FALSE(write_file_atomically(folder, "new"));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()), 2);
}

TEST_F(Files, RefusesFilesOverTheLimit) {
  ASSERT_TRUE(write_file_atomically(path_, "123456"));
  const auto text = read_file(path_, 5);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message(), testing::HasSubstr("limit of 5 bytes"));
}

TEST_F(Files, NamesAMissingFile) {
  const auto text = read_file(path_, 5);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::not_found);
  EXPECT_THAT(text.error().message(), testing::HasSubstr(path_.string()));
}

TEST_F(Files, AFullDiskIsItsOwnError) {
  const auto full = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(full);
  const Status written = write_exactly_at(*full, 0, as_bytes("x"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::no_space);
}

TEST(ConfinedPath, AcceptsPlainRelativePathsOnly) {
  for (const char* good : {"a", "a/b", "a/..b/c", "a.b"}) EXPECT_TRUE(is_confined_path(good)) << good;
  for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b"})
    EXPECT_FALSE(is_confined_path(bad)) << bad;
  EXPECT_FALSE(is_confined_path(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace sealift
