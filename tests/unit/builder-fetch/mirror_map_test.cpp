#include "builder/fetch/mirror_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::builder {
namespace {

MirrorMap map_of(const std::vector<bundle::MirrorRule>& rules) {
  auto map = MirrorMap::make(rules);
  EXPECT_TRUE(map) << map.error().message();
  return std::move(*map);
}

std::string place(const MirrorMap& map, const std::string& registry, const std::string& repository) {
  const RegistryLocation location = map.locate(registry, repository);
  return location.base + "/v2/" + location.repository + " as " + location.host;
}

TEST(MirrorMap, WithoutRulesGoesUpstream) {
  const MirrorMap map = map_of({});
  EXPECT_EQ(place(map, "registry.k8s.io", "pause"), "https://registry.k8s.io/v2/pause as registry.k8s.io");
  EXPECT_EQ(place(map, "docker.io", "library/nginx"),
            "https://registry-1.docker.io/v2/library/nginx as registry-1.docker.io");
  EXPECT_EQ(map.map("https://dl.k8s.io/a")->reveal(), "https://dl.k8s.io/a");
}

TEST(MirrorMap, PutsTheUpstreamBehindAPath) {
  const MirrorMap map = map_of({{"k8s.gcr.io", "127.0.0.2:5443/k8s.gcr.io"}, {"docker.io", "http://m:5000"}});
  EXPECT_EQ(place(map, "k8s.gcr.io", "pause"),
            "https://127.0.0.2:5443/v2/k8s.gcr.io/pause as 127.0.0.2:5443");
  EXPECT_EQ(place(map, "docker.io", "library/web"), "http://m:5000/v2/library/web as m:5000");
}

TEST(MirrorMap, TheLongestRuleWinsAndWholeComponentsCount) {
  const MirrorMap map = map_of(
      {{"quay.io", "a.example"}, {"quay.io/team/app", "b.example/x"}, {"quay.io/team", "c.example/y/"}});
  EXPECT_EQ(place(map, "quay.io", "team/app"), "https://b.example/v2/x as b.example");
  EXPECT_EQ(place(map, "quay.io", "team/app/sub"), "https://b.example/v2/x/sub as b.example");
  EXPECT_EQ(place(map, "quay.io", "team/application"), "https://c.example/v2/y/application as c.example");
  EXPECT_EQ(place(map, "quay.io", "teams/x"), "https://a.example/v2/teams/x as a.example");
}

TEST(MirrorMap, ALaterRuleReplacesAnEarlierOne) {
  const MirrorMap map = map_of({{"quay.io", "a.example"},
                                {"quay.io", "b.example"},
                                {"https://h/", "https://one/"},
                                {"https://h/", "https://two/"}});
  EXPECT_EQ(map.locate("quay.io", "x").host, "b.example");
  EXPECT_EQ(map.map("https://h/x")->reveal(), "https://two/x");
}

TEST(MirrorMap, RewritesUrlPrefixes) {
  const MirrorMap map = map_of({{"https://dl.k8s.io/", "https://files.example.com/k8s"},
                                {"https://dl.k8s.io/release/", "http://r:8080/"}});
  EXPECT_EQ(map.map("https://dl.k8s.io/x?y=1")->reveal(), "https://files.example.com/k8s/x?y=1");
  EXPECT_EQ(map.map("https://DL.K8S.IO:443/release/v1")->reveal(), "http://r:8080/v1");
  EXPECT_EQ(map.map("http://dl.k8s.io/x")->reveal(), "http://dl.k8s.io/x");
  EXPECT_FALSE(map.map("file:///etc/passwd"));
}

TEST(MirrorMap, HostsAreTheSameInCapitals) {
  const MirrorMap map = map_of({{"Quay.IO/team", "http://Mirror.Example:5000/x"}});
  EXPECT_EQ(place(map, "quay.io", "team/app"), "http://mirror.example:5000/v2/x/app as mirror.example:5000");
}

TEST(MirrorMap, AReplacementMayCarryALoginAndAQuery) {
  const MirrorMap map =
      map_of({{"https://h/", "https://me:hunter2@x/y"}, {"https://s/", "https://x/container?sv=1&sig=2"}});
  EXPECT_EQ(map.map("https://h/a?b=c")->reveal(), "https://me:hunter2@x/y/a?b=c");
  EXPECT_EQ(map.map("https://s/a")->reveal(), "https://x/container/a?sv=1&sig=2");
  EXPECT_EQ(map.map("https://s/a?b=c")->reveal(), "https://x/container/a?b=c&sv=1&sig=2");
  EXPECT_EQ(map.map("https://s/a?b=c")->str(), "https://x/container/a?b=c&sv=1&sig=***");
}

TEST(MirrorMap, ErrorsKeepTheLoginsOfARule) {
  for (const bundle::MirrorRule& rule : {bundle::MirrorRule{"https://h/file", "https://me:hunter2@x/"},
                                         {"quay.io", "me:hunter2@x"},
                                         {"https://h/", "ftp://me:hunter2@x/"},
                                         {"quay.io", "https://x/?token=hunter2"}}) {
    const auto map = MirrorMap::make({rule});
    ASSERT_FALSE(map);
    EXPECT_THAT(map.error().message(), testing::Not(testing::HasSubstr("hunter2"))) << rule.to;
  }
}

TEST(MirrorMap, RefusesRulesThatMeanNothing) {
  const std::vector<bundle::MirrorRule> bad = {{"https://h/file", "https://x/"},
                                               {"https://h/", "ftp://x/"},
                                               {"not a host", "x"},
                                               {"quay.io", "x y"},
                                               {"quay.io", "ftp://x"},
                                               {"quay.io/Upper", "x"},
                                               {"quay.io", "x/../y"},
                                               {"", "x"},
                                               {"quay.io", ""}};
  for (const auto& rule : bad) {
    const auto map = MirrorMap::make({rule});
    ASSERT_FALSE(map) << rule.from << " -> " << rule.to;
    EXPECT_EQ(map.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(map.error().message(), testing::HasSubstr("mirror rule"));
  }
}

}  // namespace
}  // namespace sealift::builder
