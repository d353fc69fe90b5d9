// Files that lie compressed in a bundle: planned, written, read and verified.
#include <random>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/bundle/reader.hpp"
#include "lib/bundle/signatures.hpp"
#include "lib/bundle/verify.hpp"
#include "lib/bundle/writer.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

using testing::HasSubstr;

class StoredFile : public testing::Test {
 protected:
  std::shared_ptr<const VerifiedBundle> written(const test::BundleRecipe& recipe) {
    const Status status = recipe.write(path_, {&key_});
    EXPECT_TRUE(status) << status.error().message();
    return *verify_head(*BundleFile::open(path_), {{key_.public_key()}, 1});
  }
  static Status verify(const VerifiedBundle& bundle) {
    NoProgress progress;
    return verify_all(bundle, progress, 2, nullptr);
  }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "x.tar";
  PrivateKey key_ = *PrivateKey::generate();
  const std::string content_ = test::compressible_text(400'000, 3);
  const std::string frame_ = test::zstd_frame(content_);
};

TEST_F(StoredFile, KeepsTheDigestAndSizePeopleKnow) {
  test::BundleRecipe recipe;
  recipe.compressed("kubelet", content_);
  const Plan plan = *recipe.plan();
  const FileEntry* file = plan.contents.find_file("files/kubelet");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->digest, digest_of(content_));
  EXPECT_EQ(file->size, content_.size());
  EXPECT_EQ(file->stored, digest_of(frame_));
  const BlobEntry* blob = plan.contents.find_blob(file->blob());
  ASSERT_NE(blob, nullptr);
  EXPECT_EQ(blob->size, frame_.size());
  EXPECT_EQ(blob->media_type, "application/zstd");
  EXPECT_EQ(plan.contents.find_blob(file->digest), nullptr);
  EXPECT_LT(plan.contents.size, content_.size());
  EXPECT_EQ(plan.wanted_bytes, content_.size());
  EXPECT_THAT(plan.contents_text,
              HasSubstr(fmt::format("\"encoding\":\"zstd\",\"stored\":\"{}\"", digest_of(frame_).str())));
}

TEST_F(StoredFile, IsReadAsItself) {
  test::BundleRecipe recipe = test::small_bundle();
  recipe.compressed("manifests/big.yaml", content_);
  const auto bundle = written(recipe);
  const FileEntry* file = bundle->contents().find_file("files/manifests/big.yaml");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(bundle->file().read_file(*file, 1 << 20).value(), content_);
  EXPECT_EQ(bundle->file().read_blob(file->blob(), 1 << 20).value(), frame_);
  EXPECT_FALSE(bundle->file().read_file(*file, content_.size() - 1));
  EXPECT_EQ(bundle->file().read_file(*bundle->contents().find_file("files/notes.txt"), 100).value(),
            "carried across\n");
}

TEST_F(StoredFile, IsCheckedInBothForms) {
  test::BundleRecipe recipe;
  recipe.compressed("kubelet", content_);
  const auto bundle = written(recipe);
  const FileEntry& file = bundle->contents().files.front();
  ASSERT_TRUE(bundle->check_blob(file.blob()));
  EXPECT_FALSE(bundle->is_checked(file));
  const Status checked = bundle->check_file(file);
  ASSERT_TRUE(checked) << checked.error().message();
  EXPECT_TRUE(bundle->is_checked(file));
  EXPECT_TRUE(verify(*bundle));
}

TEST_F(StoredFile, ABlobThatCompressesAnotherContentIsFound) {
  // Signed by a builder gone wrong: every blob has its digest, but the file is another one.
  for (const std::string& other :
       {test::compressible_text(400'000, 4), test::compressible_text(399'999, 3)}) {
    test::BundleRecipe recipe;
    recipe.compressed("kubelet", content_).replace_stored(digest_of(content_), test::zstd_frame(other));
    fs::remove(path_);
    const auto bundle = written(recipe);
    const FileEntry& file = bundle->contents().files.front();
    for (const Status& status : {verify(*bundle), bundle->check_file(file)}) {
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code(), ErrorCode::integrity);
      EXPECT_THAT(status.error().message(), HasSubstr("x.tar: files/kubelet"));
    }
    EXPECT_FALSE(bundle->is_checked(file));
    EXPECT_FALSE(bundle->file().read_file(file, 1 << 20));
  }
}

TEST_F(StoredFile, ADamagedBlobIsNamedByItsDigest) {
  test::BundleRecipe recipe;
  recipe.compressed("kubelet", content_);
  written(recipe);
  const Plan plan = *recipe.plan();
  const FileDescriptor file = *open_file(path_, O_RDWR);
  ASSERT_TRUE(write_exactly_at(file, plan.wanted.front().offset + 20'000, as_bytes("damage")));
  const auto bundle = *verify_head(*BundleFile::open(path_), {{key_.public_key()}, 1});
  const Status status = verify(*bundle);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("expected digest " + digest_of(frame_).str()));
}

TEST_F(StoredFile, HalfABlobBeginsAgainAndOthersGoOn) {
  std::mt19937 random(20261121);
  std::string noise(12U << 20, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  test::BundleRecipe recipe;
  recipe.file("noise.bin", noise).compressed("half.bin", noise + std::string(noise.size(), 'x'));
  const Plan plan = *recipe.plan();
  ASSERT_EQ(plan.wanted.size(), 2U);
  const std::uint64_t enough = 9U << 20;  // past the first note in the journal
  {
    auto writer = BundleWriter::open(path_, plan);
    for (const WantedBlob& wanted : plan.wanted) {
      ASSERT_GT(wanted.blob.bundled_size(), enough);
      auto sink = (*writer)->begin(wanted);
      ASSERT_TRUE((*sink)->write(as_bytes(recipe.content(wanted.blob.bundled_digest())).first(enough)));
    }
  }
  auto writer = BundleWriter::open(path_, plan);
  ASSERT_TRUE((*writer)->resumed());
  for (const WantedBlob& wanted : plan.wanted) {
    auto sink = (*writer)->begin(wanted);
    EXPECT_EQ((*sink)->position(), wanted.blob.stored ? 0U : enough);
    const std::string& bytes = recipe.content(wanted.blob.bundled_digest());
    ASSERT_TRUE((*sink)->write(as_bytes(bytes).subspan((*sink)->position())));
    ASSERT_TRUE((*sink)->commit());
  }
  EXPECT_EQ((*writer)->present_bytes(), 0U + enough);  // as the journal said when it was opened
}

TEST_F(StoredFile, OneBlobServesTwoPathsAndAPlainTwin) {
  test::BundleRecipe recipe;
  recipe.compressed("a", content_)
      .compressed("b", content_)
      .file("frame.zst", frame_)
      .generated("keys/c", content_);
  const auto bundle = written(recipe);
  EXPECT_EQ(bundle->contents().blobs.size(), 2U);
  const Status status = verify(*bundle);
  EXPECT_TRUE(status) << status.error().message();
  for (const FileEntry& file : bundle->contents().files) {
    EXPECT_EQ(bundle->file().read_file(file, 1 << 20).value(),
              file.path == "files/frame.zst" ? frame_ : content_)
        << file.path;
  }
}

class ReadStoredEntry : public testing::Test {
 protected:
  static std::string error_of(const std::string& text) {
    const auto contents = parse_contents(text, "bundle.json");
    return contents ? "accepted" : contents.error().message();
  }
  std::string changed(std::string_view from, std::string_view to) const {
    std::string text = text_;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  test::BundleRecipe recipe_ = test::small_bundle();
  Contents contents_ = recipe_.plan()->contents;
  std::string text_ = write_contents(contents_);
  FileEntry& kubelet_ = *std::find_if(contents_.files.begin(), contents_.files.end(),
                                      [](const auto& file) { return file.stored.has_value(); });
};

TEST_F(ReadStoredEntry, RejectsAnUnknownEncoding) {
  EXPECT_THAT(error_of(changed("\"encoding\":\"zstd\"", "\"encoding\":\"br\"")),
              HasSubstr("expected \"zstd\", found \"br\""));
}

TEST_F(ReadStoredEntry, RejectsHalfOfThePair) {
  EXPECT_NE(error_of(changed("\"encoding\":\"zstd\",", "")), "accepted");
  EXPECT_NE(error_of(changed("\"encoding\":\"zstd\",\"stored\":", "\"encoding\":\"zstd\",\"other\":")),
            "accepted");
}

TEST_F(ReadStoredEntry, RejectsABlobThatIsNotListed) {
  kubelet_.stored = digest_of("nowhere");
  EXPECT_THAT(error_of(write_contents(contents_)), HasSubstr("which is not listed"));
  kubelet_.stored.reset();
  EXPECT_THAT(error_of(write_contents(contents_)), HasSubstr("which is not listed"));
}

TEST_F(ReadStoredEntry, RejectsSizesThatMakeNoSense) {
  kubelet_.size = 0;
  EXPECT_THAT(error_of(write_contents(contents_)), HasSubstr("cannot be compressed into"));
  kubelet_.size = contents_.blobs.at(*kubelet_.stored).size;
  EXPECT_THAT(error_of(write_contents(contents_)), HasSubstr("cannot be compressed into"));
}

TEST_F(ReadStoredEntry, RejectsABlobThatIsItsOwnCompressedForm) {
  kubelet_.digest = *kubelet_.stored;
  EXPECT_THAT(error_of(write_contents(contents_)), HasSubstr("cannot be compressed into"));
}

TEST_F(ReadStoredEntry, RejectsTwoFilesInOneFrame) {
  FileEntry other = kubelet_;
  other.path += "2";
  other.digest = digest_of("another");
  contents_.files.insert(contents_.files.begin() + (&kubelet_ - contents_.files.data()) + 1, other);
  EXPECT_THAT(error_of(write_contents(contents_)), HasSubstr("both are said to be in the blob"));
}

}  // namespace
}  // namespace sealift::bundle
