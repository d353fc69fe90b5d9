#include "builder/fetch/stored_form.hpp"

#include <random>

#include <gtest/gtest.h>

#include "lib/archive/zstd.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::builder {
namespace {

std::optional<bundle::StoredForm> form_of(const std::string& content, std::uint64_t announced) {
  StoredFormSink sink(announced);
  EXPECT_TRUE(sink.write(as_bytes(content)));
  auto form = sink.finish();
  EXPECT_TRUE(form) << form.error().message();
  return form ? *form : std::nullopt;
}

std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(StoredForm, IsWhatTheCompressorMakes) {
  const std::string content(100'000, 'x');
  const auto form = form_of(content, content.size());
  ASSERT_TRUE(form);
  MemorySink frame(content.size());
  archive::ZstdCompressSink sink(frame, content.size());
  ASSERT_TRUE(sink.write(as_bytes(content)));
  ASSERT_TRUE(sink.finish());
  EXPECT_EQ(form->digest, digest_of(frame.text()));
  EXPECT_EQ(form->size, frame.text().size());
  EXPECT_EQ(form->by, archive::zstd_encoder());
}

TEST(StoredForm, NeedsSixtyFourKibibytes) {
  EXPECT_FALSE(form_of(std::string(65'535, 'x'), 65'535));
  EXPECT_TRUE(form_of(std::string(65'536, 'x'), 65'536));
}

TEST(StoredForm, MustSaveAQuarter) {
  EXPECT_FALSE(form_of(noise(1'000'000), 1'000'000));
  EXPECT_FALSE(form_of(noise(800'000) + std::string(200'000, 'x'), 1'000'000));
  EXPECT_TRUE(form_of(noise(700'000) + std::string(300'000, 'x'), 1'000'000));
}

TEST(StoredForm, IsNoneWhenUpstreamSaidAnotherSize) {
  EXPECT_FALSE(form_of(std::string(100'000, 'x'), 99'999));
  EXPECT_FALSE(form_of(std::string(100'000, 'x'), 100'001));
}

TEST(MayCompress, LeavesCompressedNamesAlone) {
  for (const char* name : {"a.tar.gz", "a.tgz", "a.xz", "a.zst", "a.bz2", "a.zip", "a.deb", "A.RPM"})
    EXPECT_FALSE(may_compress(name)) << name;
  for (const char* name : {"kubelet", "a.yaml", "gz", "runc.amd64", "a.gz.txt"})
    EXPECT_TRUE(may_compress(name)) << name;
}

}  // namespace
}  // namespace sealift::builder
