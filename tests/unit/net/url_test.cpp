#include "lib/net/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/net/secret.hpp"

namespace sealift::net {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ParseUrl, TakesItApart) {
  const auto url = Url::parse("HTTPS://Files.Example.com:8443/a/b%20c?x=1#part");
  ASSERT_TRUE(url) << url.error().message();
  EXPECT_EQ(url->scheme(), "https");
  EXPECT_EQ(url->host(), "files.example.com");
  EXPECT_EQ(url->port(), 8443);
  EXPECT_EQ(url->path(), "/a/b%20c");
  EXPECT_EQ(url->query(), "x=1");
  EXPECT_EQ(url->filename(), "b c");
  EXPECT_EQ(url->origin(), "https://files.example.com:8443");
  EXPECT_EQ(Url::parse("http://h")->reveal(), "http://h/");
  EXPECT_EQ(Url::parse("http://[::1]:80/x")->reveal(), "http://[::1]/x");
}

TEST(ParseUrl, RefusesWhatIsNoHttpUrl) {
  for (const std::string_view bad :
       {"", "file:///etc/passwd", "ftp://a/b", "//a/b", "http://", "http:///a", "http://a b/", "http://a/\n",
        "http://a:0/", "http://a:65536/", "http://a:x/", "http://a:/", "http://[/", "javascript:alert(1)"}) {
    EXPECT_FALSE(Url::parse(bad)) << bad;
  }
  EXPECT_FALSE(Url::parse("http://a/" + std::string(9000, 'x')));
}

TEST(Url, PrintsWithoutSecretsButSendsThem) {
  const auto url = Url::parse("https://me:hunter2@h/x?X-Amz-Signature=abc&part=2&access_token=def");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->str(), "https://***@h/x?X-Amz-Signature=***&part=2&access_token=***");
  EXPECT_EQ(fmt::format("{}", *url), url->str());
  EXPECT_EQ(Url::parse("https://h/x?a=1;token=2")->str(), "https://h/x?a=1;token=***");
  EXPECT_EQ(url->reveal(), "https://me:hunter2@h/x?X-Amz-Signature=abc&part=2&access_token=def");
}

TEST(Url, KnowsParametersThatAreCredentials) {
  for (const std::string_view query :
       {"token=x", "download=1&private_token=x", "X-Amz-Signature=x", "x-amz-security-token=x", "sv=1&sig=x",
        "a=1;access_key=x", "PASSWORD=x", "AWSAccessKeyId=x", "X-Goog-Credential=x", "api-key=x", "key"}) {
    const auto url = Url::parse(fmt::format("https://h/x?{}", query));
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->credential_parameter()) << query;
  }
  for (const std::string_view query : {"", "download=1", "keyword=a", "author=b", "design=c", "monkey=d",
                                       "path=/a&ref=token", "raw=true&inline=false", "&&"}) {
    const auto url = Url::parse(fmt::format("https://h/x?{}", query));
    ASSERT_TRUE(url);
    EXPECT_FALSE(url->credential_parameter()) << query;
  }
}

TEST(Redacted, LeavesNoLoginInWhatIsNoUrl) {
  EXPECT_EQ(redacted("me:hunter2@h:5000/k8s"), "***@h:5000/k8s");
  EXPECT_EQ(redacted("https://me:hun@t/er?2@h/x?token=y"), "https://***@h/x");
  EXPECT_EQ(redacted("https://h/x?token=y"), "https://h/x");
  EXPECT_EQ(redacted(std::string(300, 'x')), std::string(200, 'x'));
}

TEST(ParseUrl, ErrorsKeepSecretsToo) {
  EXPECT_THAT(Url::parse("ftp://me:hunter2@h/x").error().message(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(Url::parse("ftp://h/x?token=hunter2").error().message(), Not(HasSubstr("hunter2")));
}

TEST(Secret, PrintsAsStars) { EXPECT_EQ(fmt::format("{}", Secret("hunter2")), "***"); }

TEST(ResolveUrl, FollowsRfc3986) {
  const auto base = Url::parse("http://a/b/c/d?q");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g/x", "http://g/x"},
      {"?y", "http://a/b/c/d?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"https://h:1/", "https://h:1/"},
      {"/x?u=http://y/", "http://a/x?u=http://y/"}};
  for (const auto& [location, expected] : cases) {
    const auto resolved = base->resolve(location);
    ASSERT_TRUE(resolved) << location;
    EXPECT_EQ(resolved->reveal(), expected) << location;
  }
  EXPECT_FALSE(base->resolve("file:///etc/passwd"));
  EXPECT_FALSE(base->resolve("gopher://x/"));
}

TEST(ResolveUrl, KeepsTheLoginWithinTheOriginOnly) {
  const auto base = Url::parse("https://me:hunter2@h/a/b");
  for (const std::string_view location : {"c", "/a/c", "//h/a/c", "https://H:443/a/c"})
    EXPECT_TRUE(base->resolve(location)->reveal().starts_with("https://me:hunter2@h/a/c")) << location;
  EXPECT_EQ(base->resolve("https://other@h/x")->reveal(), "https://other@h/x");
  for (const std::string_view location : {"http://h/c", "https://h:8443/c", "//cdn/c", "https://x.h/c"})
    EXPECT_FALSE(base->resolve(location)->has_login()) << location;
}

TEST(Url, KnowsItsOrigin) {
  const auto url = Url::parse("https://h/x");
  EXPECT_TRUE(url->same_origin(*Url::parse("https://H:443/y")));
  EXPECT_FALSE(url->same_origin(*Url::parse("https://h:8443/x")));
  EXPECT_FALSE(url->same_origin(*Url::parse("http://h/x")));
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("repository:a/b:pull ~-._é"), "repository%3Aa%2Fb%3Apull%20~-._%C3%A9");
}

}  // namespace
}  // namespace sealift::net
