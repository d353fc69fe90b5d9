#include "installer/render/yaml_text.hpp"

#include <gtest/gtest.h>

#include "lib/base/yaml.hpp"

namespace sealift::installer {
namespace {

json::Value round_trip(const json::Value& value) {
  const auto node = yaml::Node::parse(to_yaml(value), "test");
  EXPECT_TRUE(node) << to_yaml(value);
  return node ? node->to_json().value() : json::Value();
}

TEST(ToYaml, ComesBackUnchanged) {
  const json::Value value =
      json::parse(R"({"a":"yes","b":"1","c":1,"d":true,"e":null,"f":[],"g":{},"h":[{"x":"a: b","y":["p","q"]},
    "0x10",{"z":{"deep":"-"}}],"i":"line\nbreak","j":"10.0.0.1:16443","k":"","l":"1e3","m":"~","n":"#no","null":"key","*":"star","o":"null"})",
                  "t")
          .value();
  EXPECT_EQ(round_trip(value), value) << to_yaml(value);
}

TEST(ToYaml, SeparatesDocuments) {
  EXPECT_EQ(to_yaml_stream({json::Object{{"a", 1}}, json::Object{{"b", 2}}}), "a: 1\n---\nb: 2\n");
}

}  // namespace
}  // namespace sealift::installer
