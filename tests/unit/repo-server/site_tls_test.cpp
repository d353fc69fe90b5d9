#include "repo-server/site_tls.hpp"

#include <future>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sealift::repo_server {
namespace {

const Timestamp kNow = *parse_rfc3339("2026-11-20T12:00:00Z");
const ServerNames kNames{{"mirror"}, {"10.0.0.1"}};

TEST(SiteTls, KeepsAuthorityAndCertificate) {
  const auto directory = TemporaryDirectory::create("site-tls");
  const auto first = site_tls(directory->path(), kNames, kNow);
  ASSERT_TRUE(first) << first.error().message();
  const auto second = site_tls(directory->path(), kNames, kNow + std::chrono::days(1));
  EXPECT_EQ(first->ca_pem, second->ca_pem);
  EXPECT_EQ(first->server.certificate_pem, second->server.certificate_pem);
  for (const char* key : {"tls/ca.key", "tls/server.key"}) {
    struct stat info {};
    ASSERT_EQ(stat((directory->path() / key).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
  }
}

TEST(SiteTls, IssuesAnewForNewNamesAndNearExpiryWithTheSameAuthority) {
  const auto directory = TemporaryDirectory::create("site-tls");
  const auto first = site_tls(directory->path(), kNames, kNow);
  const auto renamed = site_tls(directory->path(), {{"mirror"}, {"10.0.0.1", "10.0.0.100"}}, kNow);
  EXPECT_EQ(first->ca_pem, renamed->ca_pem);
  EXPECT_NE(first->server.certificate_pem, renamed->server.certificate_pem);
  const auto later = site_tls(directory->path(), kNames, kNow + std::chrono::days(380));
  EXPECT_EQ(first->ca_pem, later->ca_pem);
  EXPECT_NE(renamed->server.certificate_pem, later->server.certificate_pem);
}

TEST(SiteTls, RefusesAKeyOthersCanRead) {
  const auto directory = TemporaryDirectory::create("site-tls");
  ASSERT_TRUE(site_tls(directory->path(), kNames, kNow));
  chmod((directory->path() / "tls/ca.key").c_str(), 0644);
  const auto refused = site_tls(directory->path(), kNames, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::untrusted);
}

TEST(GivenTls, TakesACredentialAsSystemdHandsItOver) {
  const auto directory = TemporaryDirectory::create("credentials");
  const auto own = site_tls(std::nullopt, kNames, kNow);
  const fs::path certificate = directory->path() / "tls.crt";
  const fs::path key = directory->path() / "tls.key";
  ASSERT_TRUE(write_file_atomically(certificate, own->server.certificate_pem, 0440));
  ASSERT_TRUE(write_file_atomically(key, own->server.key_pem, 0440));
  EXPECT_EQ(given_tls(certificate, key, kNow).error().code(), ErrorCode::untrusted);
  setenv("CREDENTIALS_DIRECTORY", directory->path().c_str(), 1);
  const auto given = given_tls(certificate, key, kNow);
  chmod(key.c_str(), 0444);
  const auto refused = given_tls(certificate, key, kNow);
  unsetenv("CREDENTIALS_DIRECTORY");
  ASSERT_TRUE(given) << given.error().message();
  EXPECT_EQ(refused.error().code(), ErrorCode::untrusted);
}

TEST(SiteTls, RefusesAKeyOfAnotherAuthority) {
  const auto directory = TemporaryDirectory::create("site-tls");
  const auto other = TemporaryDirectory::create("site-tls");
  ASSERT_TRUE(site_tls(directory->path(), kNames, kNow));
  ASSERT_TRUE(site_tls(other->path(), kNames, kNow));
  fs::copy_file(other->path() / "tls/ca.key", directory->path() / "tls/ca.key",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(site_tls(directory->path(), kNames, kNow).error().code(), ErrorCode::conflict);
}

TEST(SiteTls, BeginsAnewAfterAFirstStartThatWasCutShort) {
  const auto directory = TemporaryDirectory::create("site-tls");
  ASSERT_TRUE(site_tls(directory->path(), kNames, kNow));
  for (const char* file : {"tls/ca.crt", "tls/server.crt", "tls/server.key"})
    fs::remove(directory->path() / file);
  const auto again = site_tls(directory->path(), kNames, kNow);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->ca_pem, *read_file(directory->path() / "tls/ca.crt", 1U << 20));
  EXPECT_EQ(site_tls(directory->path(), kNames, kNow)->ca_pem, again->ca_pem);
}

TEST(SiteTls, NeverReplacesAnAuthorityThatClientsMayTrust) {
  for (const char* lost : {"tls/ca.crt", "tls/ca.key"}) {
    const auto directory = TemporaryDirectory::create("site-tls");
    ASSERT_TRUE(site_tls(directory->path(), kNames, kNow));
    fs::remove(directory->path() / lost);
    const auto refused = site_tls(directory->path(), kNames, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
    EXPECT_NE(refused.error().message().find(lost), std::string::npos) << refused.error().message();
    EXPECT_NE(refused.error().message().find("put the missing file back"), std::string::npos);
    EXPECT_FALSE(fs::exists(directory->path() / lost));
  }
}

TEST(SiteTls, FirstStartsAtOnceAgreeOnOneAuthority) {
  const auto directory = TemporaryDirectory::create("site-tls");
  std::vector<std::future<Result<SiteTls>>> starts;
  for (int i = 0; i < 8; ++i)
    starts.push_back(
        std::async(std::launch::async, [&] { return site_tls(directory->path(), kNames, kNow); }));
  std::string ca;
  for (auto& start : starts) {
    const auto tls = start.get();
    ASSERT_TRUE(tls) << tls.error().message();
    if (ca.empty()) ca = tls->ca_pem;
    EXPECT_EQ(tls->ca_pem, ca);
  }
}

TEST(SiteTls, WritesNothingWithoutADirectory) {
  const auto tls = site_tls(std::nullopt, kNames, kNow);
  ASSERT_TRUE(tls);
  EXPECT_TRUE(*is_signed_by(tls->server.certificate_pem, tls->ca_pem));
}

}  // namespace
}  // namespace sealift::repo_server
