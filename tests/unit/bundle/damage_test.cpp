// Hundreds of flipped bits, truncations, wrong keys: each must be found, with one error that names the file.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/bundle/layout.hpp"
#include "lib/bundle/signatures.hpp"
#include "lib/bundle/verify.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

class DamagedBundle : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(test::small_bundle().write(path_, {&key_}));
    bytes_ = *read_file(path_, 1 << 30);
  }

  Status verify_everything(const TrustPolicy& policy) {
    TRY_ASSIGN(auto verified, open_verified(path_, policy));
    NoProgress progress;
    return verify_all(*verified, progress, 2, nullptr);
  }

  void replace_file(const std::string& bytes) { ASSERT_TRUE(write_file_atomically(path_, bytes)); }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "x.tar";
  PrivateKey key_ = *PrivateKey::generate();
  TrustPolicy policy_{{key_.public_key()}, 1};
  std::string bytes_;
};

TEST_F(DamagedBundle, EveryFlippedBitIsFound) {
  ASSERT_TRUE(verify_everything(policy_));
  std::mt19937 random(20261120);
  for (int round = 0; round < 400; ++round) {
    const std::size_t at = random() % bytes_.size();
    std::string damaged = bytes_;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    replace_file(damaged);
    const Status status = verify_everything(policy_);
    ASSERT_FALSE(status) << "flipped bit at " << at << " went unnoticed";
    EXPECT_THAT(status.error().message(), testing::HasSubstr("x.tar")) << at;
    EXPECT_TRUE(status.error().code() == ErrorCode::integrity ||
                status.error().code() == ErrorCode::untrusted ||
                status.error().code() == ErrorCode::unsupported)
        << at << ": " << status.error().message();
  }
}

TEST_F(DamagedBundle, EveryByteOfTheHeadIsCovered) {
  const std::size_t head = std::min<std::size_t>(bytes_.size(), 40000);
  for (std::size_t at = 0; at < head; at += 37) {
    std::string damaged = bytes_;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    replace_file(damaged);
    EXPECT_FALSE(verify_everything(policy_)) << "flipped bit at " << at << " went unnoticed";
  }
}

TEST_F(DamagedBundle, TruncationIsFoundAtOnce) {
  for (const std::size_t keep : {0UL, 100UL, 5000UL, bytes_.size() / 2, bytes_.size() - 1}) {
    replace_file(bytes_.substr(0, keep));
    const auto file = BundleFile::open(path_);
    ASSERT_FALSE(file) << keep;
    EXPECT_EQ(file.error().code(), ErrorCode::integrity) << keep;
  }
}

TEST_F(DamagedBundle, AppendedBytesAreFound) {
  replace_file(bytes_ + "x");
  const auto file = BundleFile::open(path_);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ErrorCode::integrity);
}

TEST_F(DamagedBundle, TheContentsAreNotParsedBeforeTheSignaturesHold) {
  const std::size_t contents = bytes_.find("{\"mediaType\":\"application/vnd.sealift.bundle");
  ASSERT_NE(contents, std::string::npos);
  std::string damaged = bytes_;
  damaged[contents] = '!';
  replace_file(damaged);
  EXPECT_EQ(open_verified(path_, policy_).error().code(), ErrorCode::untrusted);
  EXPECT_THAT(BundleFile::open(path_).error().message(), testing::HasSubstr("not valid JSON"));
}

TEST_F(DamagedBundle, ErrorsQuoteEntryNamesWithoutControlCharacters) {
  replace_file(archive::tar_header({"\x1b]0;x\x07", 0, 0644, 0}, 0) + std::string(1 << 20, '\0'));
  const auto file = BundleFile::open(path_);
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message(), testing::HasSubstr("found \\x1b]0;x\\x07"));
}

TEST_F(DamagedBundle, AnotherKeyIsNotEnough) {
  const PrivateKey other = *PrivateKey::generate();
  const Status status = verify_everything({{other.public_key()}, 1});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(status.error().message(), testing::HasSubstr(key_.public_key().id().substr(0, 16)));
}

TEST_F(DamagedBundle, NoKeyIsAnErrorAndNotAPass) {
  const Status status = verify_everything({{}, 0});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::untrusted);
}

TEST(SignedBundle, NeedsTheThreshold) {
  TemporaryDirectory directory = *TemporaryDirectory::create("sealift-test");
  const PrivateKey a = *PrivateKey::generate();
  const PrivateKey b = *PrivateKey::generate();
  const PrivateKey c = *PrivateKey::generate();
  const std::vector<PublicKey> keys{a.public_key(), b.public_key(), c.public_key()};
  const fs::path one = directory.path() / "one.tar";
  const fs::path two = directory.path() / "two.tar";
  ASSERT_TRUE(test::small_bundle().write(one, {&a}));
  ASSERT_TRUE(test::small_bundle().write(two, {&a, &c}));
  const auto few = verify_head(*BundleFile::open(one), {keys, 2});
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error().code(), ErrorCode::untrusted);
  const auto enough = verify_head(*BundleFile::open(two), {keys, 2});
  ASSERT_TRUE(enough);
  EXPECT_EQ((*enough)->signers().size(), 2U);
}

}  // namespace
}  // namespace sealift::bundle
