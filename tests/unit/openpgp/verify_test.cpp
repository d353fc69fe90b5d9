#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/openpgp.hpp"

namespace sealift::openpgp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kGood = "33CD78F78A1ECB1E54F57F242D703FE02E2DE243";
constexpr const char* kSubkeyPrimary = "9783F6A5F43888E4AC5FA9E895B36C177A54AD30";

fs::path data(const std::string& name) { return fs::path(OPENPGP_TEST_DATA) / name; }

std::string text_of(const std::string& name) {
  auto content = read_file(data(name), 1 << 20);
  EXPECT_TRUE(content) << name;
  return content.value_or("");
}

Keyring keyring(const std::string& name) {
  auto ring = Keyring::from_file(data(name));
  EXPECT_TRUE(ring) << ring.error().message();
  return *ring;
}

Timestamp time(const char* text) { return *parse_rfc3339(text); }
const Timestamp kNow = time("2026-01-01T00:00:00Z");

Result<SignedText> verify(const std::string& document, const std::string& ring, Timestamp now = kNow) {
  return verify_cleartext(document, keyring(ring), now, "InRelease");
}

void expect_untrusted(const Result<SignedText>& result, const std::string& words) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(result.error().message(), HasSubstr(words));
}

TEST(VerifyCleartext, ReturnsExactlyWhatWasSigned) {
  const auto result = verify(text_of("good.InRelease"), "good.asc");
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->text, text_of("Release"));
  EXPECT_THAT(result->fingerprints, ElementsAre(kGood));
}

TEST(VerifyCleartext, ReadsBinaryAndConcatenatedArmouredKeyrings) {
  EXPECT_TRUE(verify(text_of("good.InRelease"), "both.gpg"));
  EXPECT_TRUE(verify(text_of("good.InRelease"), "both.asc"));
  EXPECT_TRUE(verify(text_of("subkey.InRelease"), "both.asc"));
}

TEST(VerifyCleartext, NamesThePrimaryKeyOfASigningSubkey) {
  const auto result = verify(text_of("subkey.InRelease"), "subkey.asc");
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_THAT(result->fingerprints, ElementsAre(kSubkeyPrimary));
}

TEST(VerifyCleartext, OneKnownSignerOfTwoIsEnough) {
  const auto one = verify(text_of("two.InRelease"), "good.asc");
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_THAT(one->fingerprints, ElementsAre(kGood));
  const auto both = verify(text_of("two.InRelease"), "both.gpg");
  ASSERT_TRUE(both);
  EXPECT_THAT(both->fingerprints, SizeIs(2));
}

TEST(VerifyCleartext, RefusesAKeyOutsideTheKeyringAndNamesIt) {
  expect_untrusted(verify(text_of("good.InRelease"), "subkey.asc"),
                   "no key for the signature by key id 2D703FE02E2DE243");
}

TEST(VerifyCleartext, RefusesAnExpiredKeyEvenForAnOlderSignature) {
  expect_untrusted(verify(text_of("expired.InRelease"), "expired.asc"), "expired on 2024-01-31");
  EXPECT_TRUE(verify(text_of("expired.InRelease"), "expired.asc", time("2024-01-10T00:00:00Z")));
}

TEST(VerifyCleartext, RefusesARevokedKey) {
  expect_untrusted(verify(text_of("revoked.InRelease"), "revoked.asc"), "is revoked");
}

TEST(VerifyCleartext, RefusesASignatureFromTheFuture) {
  expect_untrusted(verify(text_of("good.InRelease"), "good.asc", time("2024-01-04T00:00:00Z")),
                   "in the future");
}

TEST(VerifyCleartext, RefusesSha1) { ASSERT_FALSE(verify(text_of("weak.InRelease"), "good.asc")); }

TEST(VerifyCleartext, RefusesAnyChangedByteOfTheText) {
  const std::string document = text_of("good.InRelease");
  const auto begin = document.find("\n\n") + 2;
  const auto end = document.find("-----BEGIN PGP SIGNATURE");
  for (std::size_t i = begin; i + 1 < end; ++i) {
    std::string changed = document;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(verify(changed, "good.asc")) << "byte " << i;
  }
}

TEST(VerifyCleartext, SaysBadSignatureForChangedText) {
  std::string changed = text_of("good.InRelease");
  changed.replace(changed.find("Origin: Test"), 12, "Origin: Evil");
  expect_untrusted(verify(changed, "good.asc"), "bad signature by key id 2D703FE02E2DE243");
}

TEST(VerifyCleartext, RefusesAnUnsignedDocument) {
  expect_untrusted(verify(text_of("Release"), "good.asc"), "is not a cleartext-signed OpenPGP document");
}

TEST(VerifyCleartext, RefusesTextAroundTheSignedMessage) {
  const std::string document = text_of("good.InRelease");
  expect_untrusted(verify("Suite: evil\n" + document, "good.asc"), "does not begin with");
  expect_untrusted(verify(document + "Suite: evil\n", "good.asc"), "text follows the signature");
  expect_untrusted(verify(document + document, "good.asc"), "text follows the signature");
}

TEST(VerifyCleartext, RefusesATruncatedSignature) {
  const std::string document = text_of("good.InRelease");
  expect_untrusted(verify(document.substr(0, document.find("-----BEGIN PGP SIGNATURE")), "good.asc"),
                   "missing or cut off");
  expect_untrusted(verify(document.substr(0, document.find("-----END PGP")), "good.asc"),
                   "missing or cut off");
}

TEST(VerifyCleartext, DropsBlanksTheSignatureDoesNotCover) {
  std::string padded = text_of("good.InRelease");
  padded.replace(padded.find("Suite: stable\n"), 14, "Suite: stable \t\n");
  const auto result = verify(padded, "good.asc");
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->text, text_of("Release"));
}

TEST(VerifyDetached, AcceptsItsDocumentOnly) {
  const auto ring = keyring("good.asc");
  const auto good = verify_detached(text_of("Release"), text_of("good.sig"), ring, kNow, "Release");
  ASSERT_TRUE(good) << good.error().message();
  EXPECT_EQ(good->text, text_of("Release"));
  EXPECT_THAT(good->fingerprints, ElementsAre(kGood));
  expect_untrusted(verify_detached(text_of("Release") + "\n", text_of("good.sig"), ring, kNow, "Release"),
                   "bad signature");
  expect_untrusted(verify_detached(text_of("Release"), "", ring, kNow, "Release"), "is not signed");
  expect_untrusted(verify_detached(text_of("Release"), text_of("expired.sig"), ring, kNow, "Release"),
                   "no key for");
}

TEST(ReadKeyring, RefusesWhatIsNotOne) {
  EXPECT_FALSE(Keyring::parse("", "empty.gpg"));
  EXPECT_FALSE(Keyring::parse("just text\n", "text.gpg"));
  EXPECT_FALSE(Keyring::parse(text_of("good.InRelease"), "InRelease"));
  const auto cut = Keyring::parse(text_of("good.asc").substr(0, 200), "cut.asc");
  ASSERT_FALSE(cut);
  const auto keybox = Keyring::from_file(data("keybox.kbx"));
  ASSERT_FALSE(keybox);
  EXPECT_THAT(keybox.error().message(), HasSubstr("GnuPG keybox"));
  EXPECT_EQ(Keyring::from_file(data("absent.gpg")).error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace sealift::openpgp
