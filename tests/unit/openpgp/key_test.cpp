#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lib/crypto/openpgp.hpp"

namespace sealift::openpgp {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Timestamp kCreated = *parse_rfc3339("2025-03-01T12:00:00Z");
const Timestamp kLocked = *parse_rfc3339("2025-04-01T12:00:00Z");
const std::string kDocument =
    "Origin: Sealift\nSuite: stable\nSHA256:\n 0123 4 main/binary-amd64/Packages\n- dash\n";

SecretKey new_key(KeyAlgorithm algorithm = KeyAlgorithm::ed25519) {
  auto key = SecretKey::generate(algorithm, "Sealift repository <repo@example.com>", kCreated);
  EXPECT_TRUE(key) << key.error().message();
  return std::move(*key);
}

class EveryAlgorithm : public testing::TestWithParam<KeyAlgorithm> {};

TEST_P(EveryAlgorithm, SignsWhatItsPublicKeyVerifies) {
  const SecretKey key = new_key(GetParam());
  const auto in_release = key.sign_cleartext(kDocument, kLocked);
  ASSERT_TRUE(in_release) << in_release.error().message();
  for (const std::string& exported : {key.public_key(), key.armoured_public_key()}) {
    const auto ring = Keyring::parse(exported, "repository key");
    ASSERT_TRUE(ring) << ring.error().message();
    const auto checked = verify_cleartext(*in_release, *ring, kLocked, "InRelease");
    ASSERT_TRUE(checked) << checked.error().message();
    EXPECT_EQ(checked->text, kDocument);
    EXPECT_EQ(checked->fingerprints.at(0), key.fingerprint());
    const auto signature = key.sign_detached(kDocument, kLocked);
    ASSERT_TRUE(signature);
    EXPECT_TRUE(verify_detached(kDocument, *signature, *ring, kLocked, "Release"));
  }
}

TEST_P(EveryAlgorithm, SameKeyDocumentAndTimeGiveTheSameBytes) {
  const SecretKey key = new_key(GetParam());
  auto directory = TemporaryDirectory::create("openpgp");
  ASSERT_TRUE(directory);
  const fs::path path = directory->path() / "repository.key";
  ASSERT_TRUE(key.write_file(path));
  const auto again = SecretKey::from_file(path);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->fingerprint(), key.fingerprint());
  EXPECT_EQ(again->user_id(), "Sealift repository <repo@example.com>");
  EXPECT_EQ(again->created(), kCreated);
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_EQ(again->armoured_public_key(), key.armoured_public_key());
  EXPECT_EQ(*again->sign_cleartext(kDocument, kLocked), *key.sign_cleartext(kDocument, kLocked));
  EXPECT_EQ(*again->sign_detached(kDocument, kLocked), *key.sign_detached(kDocument, kLocked));
  EXPECT_NE(*key.sign_detached(kDocument, kLocked + std::chrono::seconds(1)),
            *key.sign_detached(kDocument, kLocked));
}

INSTANTIATE_TEST_SUITE_P(Algorithms, EveryAlgorithm,
                         testing::Values(KeyAlgorithm::ed25519, KeyAlgorithm::rsa4096), [](const auto& test) {
                           return test.param == KeyAlgorithm::ed25519 ? "Ed25519" : "Rsa4096";
                         });

TEST(SecretKeyFile, IsForItsOwnerAloneAndNeverOverwritten) {
  const SecretKey key = new_key();
  auto directory = TemporaryDirectory::create("openpgp");
  ASSERT_TRUE(directory);
  const fs::path path = directory->path() / "repository.key";
  ASSERT_TRUE(key.write_file(path));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_FALSE(key.write_file(path));
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto open = SecretKey::from_file(path);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(open.error().message(), HasSubstr("chmod 600"));
}

TEST(SecretKeyFile, RefusesAPublicKey) {
  const SecretKey key = new_key();
  auto directory = TemporaryDirectory::create("openpgp");
  ASSERT_TRUE(directory);
  const fs::path path = directory->path() / "public.asc";
  ASSERT_TRUE(write_file_atomically(path, key.armoured_public_key(), 0600));
  const auto loaded = SecretKey::from_file(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("no OpenPGP secret key"));
}

TEST(PublicKey, IsArmouredWithoutCarriageReturnsAndHoldsNoSecret) {
  const SecretKey key = new_key();
  EXPECT_THAT(key.armoured_public_key(), StartsWith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"));
  EXPECT_THAT(key.armoured_public_key(), Not(HasSubstr("\r")));
  EXPECT_THAT(*key.sign_cleartext(kDocument, kLocked), Not(HasSubstr("\r")));
  auto directory = TemporaryDirectory::create("openpgp");
  ASSERT_TRUE(directory);
  ASSERT_TRUE(write_file_atomically(directory->path() / "public.gpg", key.public_key(), 0600));
  EXPECT_FALSE(SecretKey::from_file(directory->path() / "public.gpg"));
}

TEST(Sign, RefusesATimeBeforeTheKey) {
  const auto early = new_key().sign_cleartext(kDocument, kCreated - std::chrono::seconds(1));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code(), ErrorCode::invalid_argument);
}

TEST(Sign, RefusesCarriageReturns) { EXPECT_FALSE(new_key().sign_cleartext("a\r\n", kLocked)); }

}  // namespace
}  // namespace sealift::openpgp
