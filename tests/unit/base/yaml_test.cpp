#include "lib/base/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::yaml {
namespace {

TEST(Yaml, TypesPlainScalarsAndKeepsQuotedOnesStrings) {
  const Node node = *Node::parse(
      "{a: 1, b: \"1\", c: true, d: 'true', e: 1.5, f: ~, g: x, h: 0x10, i: 1.2.3, j: [1, x]}", "x.yaml");
  EXPECT_EQ(
      json::serialize(*node.to_json()),
      R"({"a":1,"b":"1","c":true,"d":"true","e":1.5E0,"f":null,"g":"x","h":"0x10","i":"1.2.3","j":[1,"x"]})");
}

TEST(Yaml, RefusesASecondDocument) {
  const auto node = Node::parse("a: 1\n---\nb: 2\n", "x.yaml");
  ASSERT_FALSE(node);
  EXPECT_THAT(node.error().message(), testing::HasSubstr("only one document"));
}

TEST(Yaml, RefusesAliasesBeforeTheyGrow) {
  std::string text = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c)
    text += fmt::format("{0}: &{0} [*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1}]\n", c,
                        static_cast<char>(c - 1));
  EXPECT_FALSE(Node::parse(text, "x.yaml"));
}

TEST(Yaml, RefusesLargeFiles) { EXPECT_FALSE(Node::parse(std::string((1U << 20) + 1, ' '), "x.yaml")); }

TEST(Yaml, FindsNestedDuplicates) {
  const auto node = Node::parse("a:\n  - {b: 1, b: 2}\n", "x.yaml");
  ASSERT_FALSE(node);
  EXPECT_THAT(node.error().message(), testing::HasSubstr("x.yaml:2:12: the key \"b\" is given twice"));
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> known = {"images", "files", "url"};
  EXPECT_EQ(nearest("imagse", known), "images");
  EXPECT_EQ(nearest("ulr", known), "url");
  EXPECT_EQ(nearest("kubernetes", known), std::nullopt);
}

}  // namespace
}  // namespace sealift::yaml
