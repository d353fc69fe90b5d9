#include "lib/bundle/writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/bundle/reader.hpp"
#include "lib/bundle/signatures.hpp"
#include "lib/bundle/verify.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

class WriteBundle : public testing::Test {
 protected:
  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "x.tar";
  PrivateKey key_ = *PrivateKey::generate();
  TrustPolicy policy_{{key_.public_key()}, 1};
};

TEST_F(WriteBundle, RoundTripsAndVerifies) {
  const test::BundleRecipe recipe = test::small_bundle();
  ASSERT_TRUE(recipe.write(path_, {&key_}));
  auto file = BundleFile::open(path_);
  ASSERT_TRUE(file) << file.error().message();
  auto verified = verify_head(*file, policy_);
  ASSERT_TRUE(verified) << verified.error().message();
  NoProgress progress;
  const Status all = verify_all(**verified, progress, 2, nullptr);
  EXPECT_TRUE(all) << all.error().message();
  EXPECT_FALSE(fs::exists(path_.string() + ".partial"));
  EXPECT_FALSE(fs::exists(path_.string() + ".journal"));
  const FileEntry* notes = (*file)->contents().find_file("files/notes.txt");
  ASSERT_NE(notes, nullptr);
  EXPECT_EQ((*file)->read_blob(notes->digest, 100).value(), "carried across\n");
}

TEST_F(WriteBundle, SameLockGivesSameBytesInAnyOrderOfArrival) {
  const test::BundleRecipe recipe = test::small_bundle();
  ASSERT_TRUE(recipe.write(path_, {&key_}));
  const fs::path other = directory_.path() / "y.tar";
  const Plan plan = *recipe.plan();
  auto writer = BundleWriter::open(other, plan);
  ASSERT_TRUE(writer);
  for (auto wanted = plan.wanted.rbegin(); wanted != plan.wanted.rend(); ++wanted) {
    auto sink = (*writer)->begin(*wanted);
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->write(as_bytes(recipe.content(wanted->blob.bundled_digest()))));
    ASSERT_TRUE((*sink)->commit());
  }
  std::vector<SignatureLine> lines;
  ASSERT_TRUE(add_signature(lines, key_, plan.contents_text));
  ASSERT_TRUE((*writer)->seal(*write_signatures(lines)));
  EXPECT_EQ(read_file(path_, 1 << 30).value(), read_file(other, 1 << 30).value());
}

TEST_F(WriteBundle, ContinuesWithinABlobAfterInterruption) {
  test::BundleRecipe recipe = test::small_bundle();
  std::string big(20U << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 4096);
  recipe.file("big.bin", big);
  const Plan plan = *recipe.plan();
  const Digest digest = digest_of(big);
  const auto is_big = [&](const WantedBlob& wanted) { return wanted.blob.digest == digest; };
  const auto wanted = std::find_if(plan.wanted.begin(), plan.wanted.end(), is_big);
  {
    auto writer = BundleWriter::open(path_, plan);
    ASSERT_TRUE(writer);
    auto sink = (*writer)->begin(*wanted);
    ASSERT_TRUE((*sink)->write(as_bytes(big).first(17U << 20)));
  }
  auto writer = BundleWriter::open(path_, plan);
  ASSERT_TRUE(writer);
  EXPECT_TRUE((*writer)->resumed());
  auto sink = (*writer)->begin(*wanted);
  ASSERT_TRUE(sink);
  EXPECT_GE((*sink)->position(), 16U << 20);
  ASSERT_TRUE((*sink)->write(as_bytes(big).subspan((*sink)->position())));
  EXPECT_TRUE((*sink)->commit());
}

TEST_F(WriteBundle, StartsABlobAgainWhenItsRemainsAreDamaged) {
  test::BundleRecipe recipe;
  const std::string big(20U << 20, 'x');
  recipe.file("big.bin", big);
  const Plan plan = *recipe.plan();
  const WantedBlob& wanted = plan.wanted.front();
  {
    auto writer = BundleWriter::open(path_, plan);
    auto sink = (*writer)->begin(wanted);
    ASSERT_TRUE((*sink)->write(as_bytes(big).first(17U << 20)));
  }
  const FileDescriptor partial = *open_file(path_.string() + ".partial", O_RDWR);
  ASSERT_TRUE(write_exactly_at(partial, wanted.offset + 5000, as_bytes("damage")));
  auto writer = BundleWriter::open(path_, plan);
  auto sink = (*writer)->begin(wanted);
  ASSERT_TRUE((*sink)->write(as_bytes(big).subspan((*sink)->position())));
  const Status committed = (*sink)->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), ErrorCode::integrity);
  EXPECT_EQ((*sink)->position(), 0U);
  ASSERT_TRUE((*sink)->write(as_bytes(big)));
  EXPECT_TRUE((*sink)->commit());
}

TEST_F(WriteBundle, RefusesAnotherPlansRemains) {
  const test::BundleRecipe recipe = test::small_bundle();
  const Plan plan = *recipe.plan();
  { ASSERT_TRUE(BundleWriter::open(path_, plan)); }
  test::BundleRecipe other = test::small_bundle();
  other.file("more.txt", "more");
  const Plan other_plan = *other.plan();
  const auto writer = BundleWriter::open(path_, other_plan);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::conflict);
}

TEST_F(WriteBundle, TakesNothingOverFromAFileWithoutItsJournal) {
  ASSERT_TRUE(write_file_atomically(path_.string() + ".partial", std::string(1 << 20, 'x')));
  ASSERT_TRUE(test::small_bundle().write(path_, {&key_}));
  const fs::path other = directory_.path() / "y.tar";
  ASSERT_TRUE(test::small_bundle().write(other, {&key_}));
  EXPECT_EQ(read_file(path_, 1 << 30).value(), read_file(other, 1 << 30).value());
}

TEST_F(WriteBundle, RefusesASecondWriterOfTheSameFile) {
  const test::BundleRecipe recipe = test::small_bundle();
  const Plan plan = *recipe.plan();
  auto first = BundleWriter::open(path_, plan);
  ASSERT_TRUE(first);
  const auto second = BundleWriter::open(path_, plan);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::conflict);
}

TEST_F(WriteBundle, NeverOverwritesAFinishedFile) {
  ASSERT_TRUE(write_file_atomically(path_, "precious"));
  const test::BundleRecipe recipe = test::small_bundle();
  const Status written = recipe.write(path_, {&key_});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::conflict);
  EXPECT_EQ(read_file(path_, 100).value(), "precious");
}

TEST_F(WriteBundle, NeverWritesToAFinishedBundleThatWasMoved) {
  const test::BundleRecipe recipe = test::small_bundle();
  const Plan plan = *recipe.plan();
  ASSERT_TRUE(recipe.write(path_, {&key_}));
  const std::string bytes = read_file(path_, 1 << 30).value();
  // As a kill between link() and unlink() leaves it, and then a person.
  fs::create_hard_link(path_, path_.string() + ".partial");
  ASSERT_TRUE(
      write_file_atomically(path_.string() + ".journal",
                            fmt::format("sealift-journal 1 {}\n", digest_of(plan.contents_text).str())));
  const fs::path moved = directory_.path() / "moved.tar";
  fs::rename(path_, moved);
  const auto writer = BundleWriter::open(path_, plan);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::conflict);
  EXPECT_THAT(writer.error().message(), testing::HasSubstr("has 2 names"));
  EXPECT_EQ(read_file(moved, 1 << 30).value(), bytes);
}

TEST_F(WriteBundle, RemovesOnlyTheRemainsOfTheVeryFile) {
  ASSERT_TRUE(test::small_bundle().write(path_, {&key_}));
  const fs::path partial = path_.string() + ".partial";
  const fs::path journal = path_.string() + ".journal";
  ASSERT_TRUE(write_file_atomically(partial, "of another run"));
  ASSERT_TRUE(write_file_atomically(journal, "sealift-journal 1 x\n"));
  ASSERT_TRUE(BundleWriter::remove_remains_of(path_));
  EXPECT_TRUE(fs::exists(partial) && fs::exists(journal));
  fs::remove(partial);
  fs::create_hard_link(path_, partial);
  ASSERT_TRUE(BundleWriter::remove_remains_of(path_));
  EXPECT_FALSE(fs::exists(partial) || fs::exists(journal));
  ASSERT_TRUE(write_file_atomically(journal, "sealift-journal 1 x\n"));
  ASSERT_TRUE(BundleWriter::remove_remains_of(path_));
  EXPECT_FALSE(fs::exists(journal));
  EXPECT_TRUE(BundleFile::open(path_));
}

TEST_F(WriteBundle, SaysWhatSpaceIsNeededBeforeTheFirstByte) {
  test::BundleRecipe recipe = test::small_bundle();
  const Digest digest = digest_of("huge");
  recipe.lock().blobs.emplace(digest, LockedBlob{digest, 1ULL << 55, "application/octet-stream", {}});
  recipe.lock().files.push_back({"huge.bin", 0644, "", "", digest});
  const Plan plan = *recipe.plan();
  const auto writer = BundleWriter::open(path_, plan);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::no_space);
  EXPECT_THAT(writer.error().message(), testing::HasSubstr("needs 36029226"));
}

TEST(PlanBundle, AlignsEveryEntry) {
  const Plan plan = *test::small_bundle().plan();
  for (const PlacedEntry& placed : plan.layout.entries) {
    EXPECT_EQ(placed.data_offset % 4096, 0U) << placed.entry.path;
    EXPECT_EQ(archive::tar_header(placed.entry, placed.header_offset).size(),
              placed.data_offset - placed.header_offset);
  }
}

TEST(PlanBundle, RefusesTwoFilesOfOnePath) {
  test::BundleRecipe recipe;
  recipe.file("a", "1").file("a", "2");
  const auto plan = recipe.plan();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code(), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sealift::bundle
