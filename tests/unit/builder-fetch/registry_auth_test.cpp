#include "builder/fetch/registry_auth.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A token server that answers what it is told to and remembers what it was asked.
class FakeTransport final : public net::Transport {
 public:
  Result<net::Response> get(const net::Request& request, Sink& body) override {
    asked.push_back("GET " + request.url.reveal() + " " + request.authorization.reveal());
    return answer(request, body);
  }
  Result<net::Response> head(const net::Request& request) override {
    NullSink nothing;
    return get(request, nothing);
  }
  Result<net::Response> post(const net::Request& request, const net::Secret& form, Sink& body) override {
    asked.push_back("POST " + request.url.reveal() + " " + form.reveal());
    return answer(request, body);
  }

  int status = 200;
  std::string text = R"({"token":"abc"})";
  std::vector<std::string> asked;

 private:
  Result<net::Response> answer(const net::Request& request, Sink& body) const {
    if (status == 200) TRY(body.write(as_bytes(text)));
    return net::Response{status, {}, request.url, status == 200 ? "" : text, 0};
  }
};

const RegistryLocation kLocation{"https://registry.example.com", "registry.example.com", "team/app"};

net::Response refusal(const std::string& challenge,
                      const std::string& url = "https://registry.example.com/v2/team/app/manifests/1") {
  return {401, {{"www-authenticate", challenge}}, *net::Url::parse(url), "", 0};
}

const std::string kBearer =
    R"(Bearer realm="https://auth.example.com/token?x=1",service="the registry",scope="repository:team/app:pull")";

Credentials logins(const std::string& entry) {
  return *Credentials::parse(R"({"auths":{"registry.example.com":)" + entry + "}}", "auth.json");
}

TEST(RegistryAuth, GetsATokenWithTheLogin) {
  FakeTransport transport;
  const Credentials credentials = logins(R"({"username":"me","password":"hunter2"})");
  RegistryAuth auth(transport, credentials);
  EXPECT_TRUE(auth.current(kLocation).empty());
  const auto granted = auth.answer(kLocation, refusal(kBearer));
  ASSERT_TRUE(granted) << granted.error().message();
  EXPECT_EQ(granted->reveal(), "Bearer abc");
  EXPECT_THAT(transport.asked,
              testing::ElementsAre(
                  "GET https://auth.example.com/token?x=1&service=the%20registry&scope=repository%3Ateam%2F"
                  "app%3Apull Basic bWU6aHVudGVyMg=="));
  EXPECT_EQ(auth.current(kLocation).reveal(), "Bearer abc");
  EXPECT_TRUE(auth.current({kLocation.base, kLocation.host, "team/other"}).empty());
}

TEST(RegistryAuth, PostsAnIdentityToken) {
  FakeTransport transport;
  transport.text = R"({"access_token":"xyz","expires_in":300})";
  const Credentials credentials = logins(R"({"identitytoken":"refresh/me"})");
  RegistryAuth auth(transport, credentials);
  const auto granted = auth.answer(kLocation, refusal(kBearer));
  ASSERT_TRUE(granted) << granted.error().message();
  EXPECT_EQ(granted->reveal(), "Bearer xyz");
  ASSERT_EQ(transport.asked.size(), 1U);
  EXPECT_THAT(
      transport.asked[0],
      HasSubstr("POST https://auth.example.com/token?x=1 grant_type=refresh_token&client_id=sealift"));
  EXPECT_THAT(transport.asked[0], HasSubstr("refresh_token=refresh%2Fme"));
}

TEST(RegistryAuth, AsksForPullWhenTheChallengeNamesNoScope) {
  FakeTransport transport;
  const Credentials none;
  RegistryAuth auth(transport, none);
  ASSERT_TRUE(auth.answer(kLocation, refusal(R"(Bearer realm="https://a.example/t")")));
  EXPECT_THAT(transport.asked[0], HasSubstr("scope=repository%3Ateam%2Fapp%3Apull"));
}

TEST(RegistryAuth, KeepsTheLoginFromAServerWithoutTls) {
  FakeTransport transport;
  const Credentials credentials = logins(R"({"username":"me","password":"hunter2"})");
  RegistryAuth auth(transport, credentials);
  const auto granted = auth.answer(kLocation, refusal(R"(Bearer realm="http://auth.example.com/token")"));
  ASSERT_FALSE(granted);
  EXPECT_EQ(granted.error().code(), ErrorCode::untrusted);
  EXPECT_TRUE(transport.asked.empty());
}

TEST(RegistryAuth, AnswersOnlyTheRegistryItself) {
  FakeTransport transport;
  const Credentials credentials = logins(R"({"username":"me","password":"hunter2"})");
  RegistryAuth auth(transport, credentials);
  EXPECT_FALSE(auth.answer(kLocation, refusal(kBearer, "https://registry.example.com.evil.example/x")));
  EXPECT_FALSE(auth.answer(kLocation, refusal("Basic realm=x", "https://cdn.example.com/x")));
  EXPECT_TRUE(transport.asked.empty());
}

TEST(RegistryAuth, KnowsTheRegistryInOtherSpellingsOfItsOrigin) {
  FakeTransport transport;
  const Credentials none;
  RegistryAuth auth(transport, none);
  for (const char* base : {"https://registry.example.com:443", "https://Registry.Example.com"}) {
    const RegistryLocation location{base, "registry.example.com", "team/app"};
    EXPECT_TRUE(auth.answer(location, refusal(kBearer))) << base;
  }
  const RegistryLocation other{"https://registry.example.com:8443", "registry.example.com", "team/app"};
  EXPECT_FALSE(auth.answer(other, refusal(kBearer)));
  const RegistryLocation plain{"http://registry.example.com", "registry.example.com", "team/app"};
  EXPECT_FALSE(auth.answer(plain, refusal(kBearer)));
}

TEST(RegistryAuth, ErrorsNameTheFileAndNeverTheLogin) {
  FakeTransport transport;
  transport.status = 401;
  const Credentials credentials = logins(R"({"username":"me","password":"hunter2"})");
  RegistryAuth auth(transport, credentials);
  const auto refused = auth.answer(kLocation, refusal(kBearer));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::authentication);
  EXPECT_THAT(refused.error().message(), HasSubstr("auth.json"));
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("bWU6aHVudGVyMg")));
}

TEST(RegistryAuth, RefusesTokensThatCouldSplitAHeader) {
  FakeTransport transport;
  const Credentials none;
  RegistryAuth auth(transport, none);
  for (const char* text : {R"({"token":"a\r\nX-Evil: 1"})", R"({"token":""})", R"({"token":7})", R"({})",
                           "<html>", R"({"token":"a b"})"}) {
    transport.text = text;
    EXPECT_FALSE(auth.answer(kLocation, refusal(kBearer))) << text;
  }
}

TEST(RegistryAuth, WithoutAChallengeItKnowsSaysSo) {
  FakeTransport transport;
  const Credentials none;
  RegistryAuth auth(transport, none);
  for (const char* challenge :
       {"Negotiate", "Basic realm=x", "", R"(Bearer service="x")", R"(Bearer realm="file:///etc/passwd")"}) {
    EXPECT_FALSE(auth.answer(kLocation, refusal(challenge))) << challenge;
  }
}

}  // namespace
}  // namespace sealift::builder
