#include <gtest/gtest.h>

#include "builder/fetch/registry_auth.hpp"
#include "builder/fetch/registry_client.hpp"

namespace sealift::builder {
namespace {

TEST(ParseChallenges, ReadsTheOneOfDockerHub) {
  const auto challenges = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push")");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameters.at("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(challenges[0].parameters.at("scope"), "repository:library/nginx:pull,push");
}

TEST(ParseChallenges, ReadsSeveralInOneHeader) {
  const auto challenges =
      parse_challenges(R"(Negotiate, BASIC Realm = "a \"b\", c" , Bearer realm=x , error=y)");
  ASSERT_EQ(challenges.size(), 3U);
  EXPECT_EQ(challenges[1].scheme, "basic");
  EXPECT_EQ(challenges[1].parameters.at("realm"), "a \"b\", c");
  EXPECT_EQ(challenges[2].parameters.at("error"), "y");
}

TEST(ParseChallenges, EndsOnRubbish) {
  EXPECT_TRUE(parse_challenges("").empty());
  EXPECT_TRUE(parse_challenges(",,, ;;;\"\"").empty());
  EXPECT_EQ(parse_challenges("Bearer realm=\"never closed").size(), 1U);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Basic ";
  EXPECT_EQ(parse_challenges(many).size(), 16U);
}

TEST(NextLink, IsTheTargetWithThatRelation) {
  EXPECT_EQ(next_link("</v2/a/referrers/x?last=1>; rel=\"next\""), "/v2/a/referrers/x?last=1");
  EXPECT_EQ(next_link("<https://h/a>; rel=prev, <https://h/b>; title=\"x\"; rel=next"), "https://h/b");
  for (const char* header :
       {"", "</a>", "</a>; rel=prev", "</a; rel=next", "a; rel=next", "<>; nextrel=next", ">"})
    EXPECT_FALSE(next_link(header)) << header;
}

}  // namespace
}  // namespace sealift::builder
