#include "lib/bundle/signatures.hpp"

#include <gtest/gtest.h>

#include "lib/bundle/layout.hpp"
#include "lib/bundle/sign.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

TEST(Signatures, RoundTrip) {
  const PrivateKey key = *PrivateKey::generate();
  std::vector<SignatureLine> lines;
  ASSERT_TRUE(add_signature(lines, key, "text"));
  ASSERT_TRUE(add_signature(lines, key, "other text"));
  const std::string slot = *write_signatures(lines);
  EXPECT_EQ(slot.size(), kSignatureSlotBytes);
  const auto read = parse_signatures(slot);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U) << "a second signature by the same key replaces the first";
  EXPECT_TRUE(key.public_key().verify("other text", read->front().signature));
}

TEST(Signatures, EmptySlotHasNone) {
  EXPECT_TRUE(parse_signatures(std::string(kSignatureSlotBytes, '\n'))->empty());
}

TEST(Signatures, RejectsWhatIsNotALine) {
  std::vector<SignatureLine> lines;
  ASSERT_TRUE(add_signature(lines, *PrivateKey::generate(), "text"));
  const std::string slot = *write_signatures(lines);
  for (const std::size_t at : {0UL, 8UL, 72UL, 80UL, 159UL, 160UL, 161UL, 162UL, 4095UL}) {
    std::string damaged = slot;
    damaged[at] = '!';
    EXPECT_FALSE(parse_signatures(damaged)) << at;
  }
}

TEST(Signatures, RefusesMoreThanFit) {
  std::vector<SignatureLine> lines;
  for (int i = 0; i < 26; ++i) ASSERT_TRUE(add_signature(lines, *PrivateKey::generate(), "text"));
  EXPECT_FALSE(write_signatures(lines));
}

TEST(SignInPlace, KeepsWhatAnotherSignedMeanwhile) {
  const auto directory = TemporaryDirectory::create("sealift-test");
  const fs::path path = directory->path() / "x.tar";
  const PrivateKey first = *PrivateKey::generate();
  ASSERT_TRUE(test::small_bundle().write(path, {&first}));
  const auto opened_early = BundleFile::open(path);
  const auto opened_late = BundleFile::open(path);
  const PrivateKey one = *PrivateKey::generate();
  const PrivateKey other = *PrivateKey::generate();
  EXPECT_EQ(sign_in_place(**opened_early, std::span(&one, 1))->signatures, 2U);
  EXPECT_EQ(sign_in_place(**opened_late, std::span(&other, 1))->signatures, 3U);
  EXPECT_FALSE(sign_in_place(**opened_early, std::span(&other, 1))->changed);
}

TEST(SignInPlace, SignsNoOtherFileThatTookTheName) {
  const auto directory = TemporaryDirectory::create("sealift-test");
  const fs::path path = directory->path() / "x.tar";
  const PrivateKey key = *PrivateKey::generate();
  ASSERT_TRUE(test::small_bundle().write(path, {&key}));
  const auto opened = BundleFile::open(path);
  fs::copy_file(path, directory->path() / "y.tar");
  fs::rename(directory->path() / "y.tar", path);
  const std::string before = *read_file(path, 1U << 30);
  const auto signed_by = sign_in_place(**opened, std::span(&key, 1));
  ASSERT_FALSE(signed_by);
  EXPECT_EQ(signed_by.error().code(), ErrorCode::conflict);
  EXPECT_EQ(*read_file(path, 1U << 30), before);
}

}  // namespace
}  // namespace sealift::bundle
