#include "lib/crypto/ed25519.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/process.hpp"

namespace sealift {
namespace {

class Ed25519 : public testing::Test {
 protected:
  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "key";
};

TEST_F(Ed25519, SignsAndVerifies) {
  const PrivateKey key = *PrivateKey::generate();
  const std::string signature = *key.sign("message");
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_TRUE(key.public_key().verify("message", signature));
  EXPECT_FALSE(key.public_key().verify("massage", signature));
  EXPECT_FALSE(key.public_key().verify("message", signature.substr(1)));
  EXPECT_FALSE(PrivateKey::generate()->public_key().verify("message", signature));
}

TEST_F(Ed25519, KeysSurviveTheirFiles) {
  const PrivateKey key = *PrivateKey::generate();
  ASSERT_TRUE(write_file_atomically(path_, key.pem(), 0600));
  const auto read = PrivateKey::from_file(path_);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->public_key().id(), key.public_key().id());
  EXPECT_EQ(PublicKey::from_pem(key.public_key().pem(), "x")->id(), key.public_key().id());
}

TEST_F(Ed25519, RefusesAKeyThatOthersCanRead) {
  ASSERT_TRUE(write_file_atomically(path_, PrivateKey::generate()->pem(), 0640));
  const auto read = PrivateKey::from_file(path_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(read.error().message(), testing::HasSubstr("chmod 600"));
}

TEST_F(Ed25519, RefusesOtherKindsOfKeys) {
  ASSERT_TRUE(
      run_checked({.arguments = {"openssl", "genpkey", "-algorithm", "X25519", "-out", path_.string()}}));
  fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(PrivateKey::from_file(path_));
  EXPECT_FALSE(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "x"));
}

TEST_F(Ed25519, OpensslAgreesWithUs) {
  const PrivateKey key = *PrivateKey::generate();
  const fs::path message = directory_.path() / "message";
  const fs::path signature = directory_.path() / "signature";
  ASSERT_TRUE(write_file_atomically(path_, key.public_key().pem()));
  ASSERT_TRUE(write_file_atomically(message, "some bytes"));
  ASSERT_TRUE(write_file_atomically(signature, *key.sign("some bytes")));
  const auto output =
      run({.arguments = {"openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", path_.string(), "-in",
                         message.string(), "-sigfile", signature.string()}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->exit_code, 0) << output->out << output->err;
}

}  // namespace
}  // namespace sealift
