#include "lib/bundle/signatures.hpp"

#include <gtest/gtest.h>

#include "lib/bundle/layout.hpp"

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

}  // namespace
}  // namespace sealift::bundle
