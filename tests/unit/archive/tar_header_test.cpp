#include "lib/archive/tar_header.hpp"

#include <gtest/gtest.h>

namespace sealift::archive {
namespace {

TEST(TarHeader, DataIsAlignedFromEveryStart) {
  for (const std::uint64_t size : {0ULL, 1ULL, (8ULL << 30) - 1, 8ULL << 30, 1ULL << 40}) {
    const TarEntry entry{"blobs/sha256/" + std::string(64, 'a'), size, 0644, 1795216329};
    for (std::uint64_t at = 0; at < 3 * kTarAlignment; at += kTarBlock) {
      const std::uint64_t data = tar_data_offset(entry, at);
      EXPECT_EQ(data % kTarAlignment, 0U);
      EXPECT_EQ(tar_header(entry, at).size(), data - at) << "size " << size << " at " << at;
    }
  }
}

TEST(TarHeader, ReadsBackWhatItWrites) {
  TemporaryDirectory directory = *TemporaryDirectory::create("sealift-test");
  for (const std::uint64_t size : {0ULL, 5ULL, (8ULL << 30) - 1, 8ULL << 30, 100ULL << 40}) {
    const TarEntry entry{"sealift/sealift-linux-amd64", size, 0755, 1795216329};
    for (const std::uint64_t at : {0ULL, 512ULL, 3072ULL, 3584ULL}) {
      const fs::path path = directory.path() / "header";
      ASSERT_TRUE(write_file_atomically(path, std::string(at, '\0') + tar_header(entry, at)));
      const auto located = read_tar_header(*open_for_reading(path), at);
      ASSERT_TRUE(located) << size << " at " << at << ": " << located.error().message();
      EXPECT_EQ(located->entry, entry);
      EXPECT_EQ(located->data_offset, tar_data_offset(entry, at));
    }
  }
}

TEST(TarHeader, RejectsEveryChangedByte) {
  TemporaryDirectory directory = *TemporaryDirectory::create("sealift-test");
  const fs::path path = directory.path() / "header";
  const std::string good = tar_header({"index.json", 100, 0644, 1}, 512);
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    ASSERT_TRUE(write_file_atomically(path, std::string(512, '\0') + bad));
    const auto located = read_tar_header(*open_for_reading(path), 512);
    // A changed name or size gives another valid header only together with its checksum, which was not
    // changed.
    EXPECT_FALSE(located) << "byte " << at;
  }
}

TEST(TarHeader, EndsWithTwoZeroBlocksOnTheAlignment) {
  EXPECT_EQ(tar_total_size(4096), 8192U);
  EXPECT_EQ(tar_total_size(8192 - 1024), 8192U);
  EXPECT_EQ(tar_total_size(8192 - 512), 12288U);
}

}  // namespace
}  // namespace sealift::archive
