#include "lib/pkgrepo/compression.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::pkgrepo {
namespace {

using testing::HasSubstr;

std::string sample() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("Package: name-{}\nVersion: {}\n\n", i, i * 7);
  return text;
}

class EveryCompression : public testing::TestWithParam<Compression> {};

TEST_P(EveryCompression, ComesBackTheSame) {
  for (const std::string& text : {sample(), std::string("x"), std::string()}) {
    const auto compressed = compress(text, GetParam());
    ASSERT_TRUE(compressed) << compressed.error().message();
    const auto back = decompress(*compressed, GetParam(), text.size(), "Packages");
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(*back, text);
  }
}

TEST_P(EveryCompression, SameTextGivesTheSameBytes) {
  EXPECT_EQ(*compress(sample(), GetParam()), *compress(sample(), GetParam()));
}

TEST_P(EveryCompression, RefusesMoreThanTheLimit) {
  const std::string bomb(50U << 20, 'x');
  const auto compressed = compress(bomb, GetParam());
  ASSERT_TRUE(compressed);
  const auto refused = decompress(*compressed, GetParam(), 1U << 20, "Packages");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::integrity);
  EXPECT_THAT(refused.error().message(), HasSubstr("more than 1048576"));
}

TEST_P(EveryCompression, RefusesWhatIsCutOff) {
  const auto compressed = compress(sample(), GetParam());
  ASSERT_TRUE(compressed);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, compressed->size() / 2, compressed->size() - 1}) {
    EXPECT_FALSE(decompress(compressed->substr(0, size), GetParam(), 1U << 20, "Packages"))
        << size << " bytes";
  }
}

TEST_P(EveryCompression, RefusesOtherFormats) {
  EXPECT_FALSE(decompress("Package: plain\n", GetParam(), 1U << 20, "Packages"));
}

INSTANTIATE_TEST_SUITE_P(Forms, EveryCompression, testing::Values(Compression::gzip, Compression::xz));

TEST(Decompress, RefusesWhatIsWrappedTwice) {
  const auto once = compress(sample(), Compression::gzip);
  const auto twice = compress(*once, Compression::gzip);
  ASSERT_TRUE(twice);
  EXPECT_FALSE(decompress(*twice, Compression::gzip, 1U << 20, "Packages"));
}

TEST(Decompress, PassesPlainTextOnWithinTheLimit) {
  EXPECT_EQ(*decompress("plain", Compression::none, 5, "Packages"), "plain");
  EXPECT_FALSE(decompress("plain", Compression::none, 4, "Packages"));
}

TEST(CompressionOf, GoesByTheEndOfTheName) {
  EXPECT_EQ(compression_of("Packages.xz"), Compression::xz);
  EXPECT_EQ(compression_of("a/Packages.gz"), Compression::gzip);
  EXPECT_EQ(compression_of("Packages.zst"), Compression::zstd);
  EXPECT_EQ(compression_of("Packages"), Compression::none);
}

TEST(Compress, WritesNoTimeIntoGzip) {
  EXPECT_EQ(compress("x", Compression::gzip)->substr(4, 4), std::string(4, '\0'));
}

}  // namespace
}  // namespace sealift::pkgrepo
