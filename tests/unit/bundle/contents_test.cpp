#include "lib/bundle/contents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class ReadContents : public testing::Test {
 protected:
  std::string text_ = test::small_bundle().plan()->contents_text;
};

TEST_F(ReadContents, RoundTrips) {
  const auto contents = parse_contents(text_, "bundle.json");
  ASSERT_TRUE(contents) << contents.error().message();
  std::string again = write_contents(*contents);
  again.resize(text_.size(), '\n');
  EXPECT_EQ(again, text_);
}

TEST_F(ReadContents, RefusesWhatWouldTakeFarMoreMemoryThanItHasBytes) {
  std::string bomb = "{\"x\":[1";
  for (int i = 0; i < 2'000'000; ++i) bomb += ",1";
  const auto contents = parse_contents(bomb + "]}", "bundle.json");
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().code(), ErrorCode::integrity);
  EXPECT_THAT(contents.error().message(), testing::HasSubstr("of memory"));
}

TEST_F(ReadContents, ReadsOneOfMany) {
  Contents contents = *parse_contents(text_, "bundle.json");
  for (int i = 0; i < 50'000; ++i) {
    const Digest digest = digest_of(std::to_string(i));
    BlobEntry blob{.digest = digest};
    blob.size = 1;
    blob.media_type = "text/plain";
    contents.blobs.emplace(digest, std::move(blob));
    contents.files.push_back({fmt::format("files/{:05}", i), digest, 1, "text/plain", 0644, "", ""});
  }
  std::sort(contents.files.begin(), contents.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  const auto read = parse_contents(write_contents(contents), "bundle.json");
  ASSERT_TRUE(read) << read.error().message();
}

TEST_F(ReadContents, RejectsWhatATerminalWouldObey) {
  for (const char* control : {"\\u001b[31m", "\\n", "\\r", "\\t", "\\u007f", "\\u009b", "\xc2\x9b", "\\u202e",
                              "\xe2\x80\xae", "\\u2028", "\\u2066"}) {
    for (const char* place : {"registry.k8s.io/pause", "\"text/plain", "linux/amd64", "\"name"}) {
      const std::string text = replaced(text_, place, place + std::string(control));
      const auto contents = parse_contents(text, "bundle.json");
      ASSERT_FALSE(contents) << place << control;
      EXPECT_EQ(contents.error().code(), ErrorCode::integrity);
      EXPECT_THAT(contents.error().message(),
                  testing::HasSubstr("bundle.json: expected text without control"));
      EXPECT_THAT(contents.error().message(), testing::Not(testing::HasSubstr("\x1b")));
    }
  }
  EXPECT_TRUE(
      parse_contents(replaced(text_, "\"source\":\"", "\"source\":\"caf\u00e9 \u6e2c "), "bundle.json"));
}

TEST_F(ReadContents, FindsFilesByRole) {
  const auto contents = *parse_contents(text_, "bundle.json");
  ASSERT_NE(contents.find_role("kubeadm", "linux/amd64"), nullptr);
  EXPECT_EQ(contents.find_role("kubeadm", "linux/arm64"), nullptr);
  ASSERT_NE(contents.find_image("registry.k8s.io/pause:3.10"), nullptr);
  EXPECT_EQ(contents.find_image("registry.k8s.io/pause:3.1"), nullptr);
}

TEST_F(ReadContents, RejectsPathsThatEscape) {
  for (const char* path : {"../etc/passwd", "/etc/passwd", "files/../x", "files//x", "files/a b", ""}) {
    const auto contents = parse_contents(replaced(text_, "files/notes.txt", path), "bundle.json");
    ASSERT_FALSE(contents) << path;
    EXPECT_EQ(contents.error().code(), ErrorCode::integrity);
  }
}

TEST_F(ReadContents, RejectsKubernetesWithoutItsVersion) {
  const auto with = [&](const char* version) {
    return parse_contents(
        replaced(text_,
                 "\"head\":", fmt::format(R"("kubernetes":{{"version":"{}","images":[]}},"head":)", version)),
        "bundle.json");
  };
  EXPECT_EQ(with("v1.32.3").value().kubernetes_version, "v1.32.3");
  const auto contents = with("");
  ASSERT_FALSE(contents);
  EXPECT_THAT(contents.error().message(), testing::HasSubstr("kubernetes.version: expected a version"));
}

TEST_F(ReadContents, RejectsAReferenceToABlobThatIsNotListed) {
  const std::string digest = digest_of("carried across\n").str();
  const std::string other = digest_of("something else").str();
  EXPECT_FALSE(parse_contents(replaced(text_, digest, other), "bundle.json"));
}

TEST_F(ReadContents, RejectsOverlapAndMisalignment) {
  auto contents = *parse_contents(text_, "bundle.json");
  const auto original = contents;
  contents.blobs.begin()->second.offset = *std::next(contents.blobs.begin())->second.offset;
  EXPECT_FALSE(parse_contents(write_contents(contents), "bundle.json"));
  contents = original;
  *contents.blobs.begin()->second.offset += 512;
  EXPECT_FALSE(parse_contents(write_contents(contents), "bundle.json"));
  contents = original;
  contents.blobs.begin()->second.offset = 1ULL << 62;
  EXPECT_FALSE(parse_contents(write_contents(contents), "bundle.json"));
  contents = original;
  contents.blobs.begin()->second.size = ~0ULL;
  EXPECT_FALSE(parse_contents(write_contents(contents), "bundle.json"));
}

TEST_F(ReadContents, AcceptsADeltaWhoseBaseHoldsABlob) {
  auto contents = *parse_contents(text_, "bundle.json");
  contents.blobs.begin()->second.offset.reset();
  const auto read = parse_contents(write_contents(contents), "bundle.json");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_FALSE(read->blobs.begin()->second.offset);
}

TEST_F(ReadContents, NamesThePlaceOfAWrongType) {
  const auto contents = parse_contents(replaced(text_, "\"version\":\"1\"", "\"version\":1"), "bundle.json");
  ASSERT_FALSE(contents);
  EXPECT_THAT(contents.error().message(),
              testing::HasSubstr("bundle.json: version: expected a string, found a number"));
}

}  // namespace
}  // namespace sealift::bundle
