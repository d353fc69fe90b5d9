#include "lib/crypto/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift {
namespace {

// FIPS 180-4 example values.
constexpr const char* kSha256Abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(digest_of("abc").str(), kSha256Abc);
  EXPECT_EQ(digest_of(as_bytes("abc"), DigestAlgorithm::sha512).hex().substr(0, 16), "ddaf35a193617aba");
}

TEST(Digest, RejectsOtherForms) {
  const std::string hex(64, 'a');
  for (const std::string& text :
       {std::string(), hex, "sha256:" + hex + "a", "sha256:" + hex.substr(1), "md5:" + hex, "SHA256:" + hex,
        "sha256:" + std::string(64, 'A'), "sha512:" + hex, "sha256:" + hex.substr(1) + "/"}) {
    EXPECT_FALSE(Digest::parse(text)) << text;
  }
  EXPECT_TRUE(Digest::parse("sha256:" + hex));
  EXPECT_EQ(Digest::from_hex(DigestAlgorithm::sha256, std::string(64, 'A'))->hex(), hex);
}

TEST(Hasher, StartsAnewAfterFinish) {
  Hasher hasher;
  hasher.update(as_bytes("x"));
  hasher.finish();
  hasher.update(as_bytes("a"));
  hasher.update(as_bytes("bc"));
  EXPECT_EQ(hasher.finish().str(), kSha256Abc);
}

TEST(VerifyingSink, StopsAtTheFirstByteTooMany) {
  NullSink nowhere;
  VerifyingSink sink(nowhere, digest_of("abc"), 3, "x");
  EXPECT_TRUE(sink.write(as_bytes("ab")));
  const Status status = sink.write(as_bytes("cd"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::integrity);
}

TEST(VerifyingSink, NamesExpectedAndFound) {
  NullSink nowhere;
  VerifyingSink sink(nowhere, digest_of("abc"), 3, "the file");
  ASSERT_TRUE(sink.write(as_bytes("abd")));
  const Status status = sink.finish();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(),
              testing::AllOf(testing::HasSubstr("the file"), testing::HasSubstr(kSha256Abc),
                             testing::HasSubstr(digest_of("abd").str())));
}

TEST(Base64, RoundTripsAndRejects) {
  for (const std::string& text : {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
                                  std::string("\0\xff\x80", 3)}) {
    EXPECT_EQ(from_base64(to_base64(as_bytes(text))).value(), text);
  }
  for (const char* bad : {"a", "ab=", "a===", "ab c", "ab\n=", "====", "YQ==YQ=="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace sealift
