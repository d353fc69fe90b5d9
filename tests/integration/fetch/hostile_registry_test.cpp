#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/fetch/fixture.hpp"

namespace sealift::test {
namespace {

class HostileRegistry : public UpstreamTest {
 protected:
  void SetUp() override {
    UpstreamTest::SetUp();
    builder::FetcherOptions options = fast_options(2);
    options.mirrors = {{"registry.example.com", "http://" + server_->host()}};
    use(std::move(options));
  }

  Result<builder::FetchedManifest> manifest(const std::string& name) {
    return fetcher_->registry().manifest(*oci::Reference::parse("registry.example.com/" + name));
  }
  /// The first four digits of each, or the error.
  std::string referrers(const std::string& name) {
    const auto subject =
        oci::Reference::parse("registry.example.com/" + name + "@sha256:" + std::string(64, '9'));
    const auto listed = fetcher_->registry().referrers(*subject);
    if (!listed) return listed.error().message();
    std::vector<std::string> digits;
    for (const auto& descriptor : *listed) digits.push_back(descriptor.digest.hex().substr(0, 4));
    return fmt::format("{}", fmt::join(digits, " "));
  }
};

TEST_F(HostileRegistry, AManifestOfManyMegabytesIsCutOff) {
  EXPECT_FAILS(manifest("huge:1"), ErrorCode::integrity, "longer than");
  EXPECT_FAILS(manifest("endless:1"), ErrorCode::integrity, "longer than");
}

TEST_F(HostileRegistry, ADigestThatIsNotThatOfTheBytesIsRefused) {
  EXPECT_FAILS(manifest("header:1"), ErrorCode::integrity, "announced digest sha256:bbbb");
  EXPECT_FAILS(manifest("two-types@sha256:" + std::string(64, 'c')), ErrorCode::integrity,
               "expected digest sha256:cccc");
}

TEST_F(HostileRegistry, ADocumentThatContradictsItsTypeIsRefused) {
  EXPECT_FAILS(manifest("two-types:1"), ErrorCode::integrity, "was announced as");
}

TEST_F(HostileRegistry, RubbishIsRefused) {
  EXPECT_FAILS(manifest("rubbish:1"), ErrorCode::integrity, "not valid JSON");
}

TEST_F(HostileRegistry, ALoginThatIsNeverEnoughEnds) {
  EXPECT_FAILS(manifest("bearer-loop:1"), ErrorCode::authentication, "no login");
  EXPECT_EQ(server_->requests("/v2/bearer-loop/manifests/1"), 2U);
  EXPECT_FAILS(manifest("locked:1"), ErrorCode::authentication, "no login");
}

TEST_F(HostileRegistry, ALoginIsNotSentWhereARedirectLeads) {
  ::setenv("SEALIFT_TEST_OTHER", server_->url("").substr(0, server_->url("").size() - 1).c_str(), 1);
  auto redirecting = HostileServer::start();
  ASSERT_OK(redirecting);
  const auto directory = TemporaryDirectory::create("sealift-login-");
  ASSERT_OK(directory);
  builder::FetcherOptions options = fast_options(0);
  options.authfile = directory->path() / "auth.json";
  options.mirrors = {{"registry.example.com", "http://" + (*redirecting)->host()}};
  ASSERT_OK(write_file_atomically(
      *options.authfile, fmt::format(R"({{"auths":{{"{}":{{"username":"me","password":"hunter2"}}}}}})",
                                     (*redirecting)->host())));
  fetcher_ = make_fetcher(std::move(options), log_);
  EXPECT_FAILS(manifest("redirecting:1"), ErrorCode::authentication, "redirected");
  EXPECT_EQ(server_->requests("/v2/bearer-loop/manifests/1"), 1U);
  EXPECT_EQ(server_->requests("/token"), 0U);
}

TEST_F(HostileRegistry, ControlCharactersOfAnAnswerDoNotReachTheTerminal) {
  const auto result = manifest("locked:1");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message().find('\x1b'), std::string::npos);
  EXPECT_THAT(result.error().message(), testing::HasSubstr("UNAUTHORIZED"));
}

TEST_F(HostileRegistry, ReferrersOfAllPagesAreListed) {
  EXPECT_EQ(referrers("referrers-one"), "aaaa");
  EXPECT_EQ(referrers("referrers-pages"), "aaaa bbbb cccc");
  EXPECT_THAT(referrers("referrers-endless"), testing::HasSubstr("more than 50 pages"));
  EXPECT_THAT(referrers("referrers-elsewhere"),
              testing::HasSubstr("the next page would be at http://localhost:1"));
}

TEST_F(HostileRegistry, ABusyRegistryIsNotOneWithoutReferrers) {
  EXPECT_EQ(referrers("referrers-flaky"), "aaaa");
  EXPECT_THAT(referrers("referrers-busy"), testing::HasSubstr("too many requests"));
  EXPECT_THAT(referrers("referrers-500"), testing::HasSubstr("the server has a problem"));
  EXPECT_THAT(referrers("referrers-418"), testing::HasSubstr("unexpected answer"));
}

TEST_F(HostileRegistry, ARegistryWithoutTheApiIsAskedForTheTag) {
  for (const char* name : {"referrers-400", "referrers-404", "referrers-405", "referrers-501"})
    EXPECT_EQ(referrers(name), "eeee") << name;
}

TEST_F(HostileRegistry, ALimitIsWaitedForAndThenExplained) {
  EXPECT_FAILS(manifest("limited:1"), ErrorCode::network, "mirror rule");
  EXPECT_EQ(server_->requests("/v2/limited/manifests/1"), 3U);
}

}  // namespace
}  // namespace sealift::test
