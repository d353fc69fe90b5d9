#include "repo-server/http/expanded_body.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/bundles.hpp"

namespace sealift::repo_server::http {
namespace {

using testing::HasSubstr;

class PlainFile final : public BodyFile {
 public:
  explicit PlainFile(FileDescriptor file) : file_(std::move(file)) {}
  int descriptor() const override { return file_.get(); }
  bool is_unchanged() const override { return !changed; }
  bool changed = false;

 private:
  FileDescriptor file_;
};

class ExpandedBodyTest : public testing::Test {
 protected:
  /// A body over these stored bytes, which lie behind others in a file.
  ZstdBody body(const std::string& stored, std::uint64_t size, std::uint64_t first, std::uint64_t length) {
    const fs::path path = directory_.path() / "file";
    EXPECT_TRUE(write_file_atomically(path, "before" + stored + "after"));
    file_ = std::make_shared<PlainFile>(*open_for_reading(path));
    return {{file_, 6, stored.size()}, size, first, length};
  }
  static Result<std::string> all_of(ZstdBody wanted) {
    ExpandedBody body(std::move(wanted));
    std::string text;
    while (!body.is_done()) {
      TRY_ASSIGN(const std::string_view piece, body.next());
      text += piece;
    }
    return text;
  }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("expanded");
  std::shared_ptr<PlainFile> file_;
  const std::string content_ = test::compressible_text(500'000, 9);
  const std::string frame_ = test::zstd_frame(content_);
};

TEST_F(ExpandedBodyTest, GivesEveryRange) {
  for (const auto& [first, length] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 500'000},
                                                            {0, 1},
                                                            {1, 499'999},
                                                            {65'535, 2},
                                                            {65'536, 65'536},
                                                            {131'072, 10},
                                                            {499'999, 1},
                                                            {300'000, 200'000}}) {
    const auto text = all_of(body(frame_, content_.size(), first, length));
    ASSERT_TRUE(text) << text.error().message();
    EXPECT_TRUE(*text == content_.substr(first, length)) << first << " " << length;
  }
}

TEST_F(ExpandedBodyTest, NeverGivesAllOfWhatIsDamaged) {
  std::string checksum = frame_;
  checksum.back() = static_cast<char>(checksum.back() ^ 1);
  std::string middle = frame_;
  middle[middle.size() / 2] = static_cast<char>(middle[middle.size() / 2] ^ 0x55);
  for (const std::string& stored : {checksum, middle, frame_.substr(0, frame_.size() - 5), frame_ + "more",
                                    std::string(), test::zstd_frame("x")}) {
    const auto text = all_of(body(stored, content_.size(), 0, content_.size()));
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), ErrorCode::integrity);
  }
}

TEST_F(ExpandedBodyTest, StopsWhenTheFileIsChanged) {
  const ZstdBody wanted = body(frame_, content_.size(), 0, content_.size());
  file_->changed = true;
  const auto text = all_of(wanted);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::conflict);
}

}  // namespace
}  // namespace sealift::repo_server::http
