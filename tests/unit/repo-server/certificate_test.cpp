#include "lib/crypto/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift {
namespace {

using testing::ElementsAre;

const Timestamp kNow = *parse_rfc3339("2026-11-20T12:00:00Z");

TEST(IssueServerCertificate, NamesTheServerAndIsSignedByTheAuthority) {
  const auto authority = create_authority("site", kNow);
  ASSERT_TRUE(authority);
  const auto server =
      issue_server_certificate(*authority, {{"mirror.site", "localhost"}, {"10.0.0.1", "fd00::1"}}, kNow);
  ASSERT_TRUE(server) << server.error().message();
  const auto info = read_certificate(server->certificate_pem, "server");
  ASSERT_TRUE(info);
  EXPECT_THAT(info->names.dns, ElementsAre("localhost", "mirror.site"));
  EXPECT_THAT(info->names.addresses, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_FALSE(info->is_ca);
  EXPECT_LE(info->not_after - info->not_before, kMaxServerLifetime);
  EXPECT_TRUE(*is_signed_by(server->certificate_pem, authority->certificate_pem));
  EXPECT_TRUE(*key_matches(*server));
}

TEST(IssueServerCertificate, NeverOutlivesTheAuthority) {
  const auto authority = create_authority("site", kNow, std::chrono::days(10));
  const auto server = issue_server_certificate(*authority, {{"a"}, {}}, kNow);
  ASSERT_TRUE(server);
  EXPECT_LE(read_certificate(server->certificate_pem, "")->not_after, kNow + std::chrono::days(10));
  EXPECT_EQ(issue_server_certificate(*authority, {{"a"}, {}}, kNow + std::chrono::days(11)).error().code(),
            ErrorCode::precondition);
}

TEST(IssueServerCertificate, RefusesNamesThatWouldSmuggleOthers) {
  const auto authority = create_authority("site", kNow);
  EXPECT_FALSE(issue_server_certificate(*authority, {{"a,IP:1.2.3.4"}, {}}, kNow));
  EXPECT_FALSE(issue_server_certificate(*authority, {{}, {"not an address"}}, kNow));
  EXPECT_FALSE(issue_server_certificate(*authority, {{}, {}}, kNow));
}

TEST(IsSignedBy, TellsAuthoritiesOfTheSameNameApart) {
  const auto one = create_authority("site", kNow);
  const auto other = create_authority("site", kNow);
  const auto server = issue_server_certificate(*one, {{"a"}, {}}, kNow);
  EXPECT_FALSE(*is_signed_by(server->certificate_pem, other->certificate_pem));
  EXPECT_FALSE(*key_matches({server->certificate_pem, other->key_pem}));
}

TEST(CreateAuthority, MakesACertificateAuthority) {
  const auto info = read_certificate(create_authority("site", kNow)->certificate_pem, "ca");
  EXPECT_TRUE(info->is_ca);
  EXPECT_EQ(info->subject, "site");
  EXPECT_EQ(info->fingerprint.size(), 64U);
}

TEST(ReadCertificate, RefusesOtherText) {
  EXPECT_FALSE(read_certificate("-----BEGIN CERTIFICATE-----\nnonsense\n", "x"));
}

}  // namespace
}  // namespace sealift
