#include "installer/render/overlay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/inventory/arguments.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;

json::Value parse(std::string_view text) { return json::parse(text, "test").value(); }

json::Value with_lists(std::string_view text) {
  json::Value value = parse(text);
  EXPECT_TRUE(arguments_as_lists(value, "doc"));
  return value;
}

TEST(Merge, ReplacesListsMergesMapsRemovesNulls) {
  EXPECT_EQ(merge(parse(R"({"a":{"x":1,"y":2},"l":[1,2],"n":1})"),
                  parse(R"({"a":{"y":3},"l":[9],"n":null,"new":{"z":null}})")),
            parse(R"({"a":{"x":1,"y":3},"l":[9],"new":{}})"));
}

TEST(Merge, TakesArgumentsByName) {
  const auto base = with_lists(R"({"extraArgs":{"keep":"1","replace":"2","remove":"3"}})");
  const auto changes = with_lists(R"({"extraArgs":{"replace":"9","remove":null,"add":"4"}})");
  EXPECT_EQ(merge(base, changes), with_lists(R"({"extraArgs":{"keep":"1","replace":"9","add":"4"}})"));
  EXPECT_EQ(merge(base, with_lists(R"({"extraArgs":null})")), parse("{}"));
}

TEST(Arguments, AreTextsInBothForms) {
  const auto expected =
      parse(R"({"a":{"extraArgs":[{"name":"n","value":"30"},{"name":"b","value":"true"}]}})");
  EXPECT_EQ(with_lists(R"({"a":{"extraArgs":{"n":30,"b":true}}})"), expected);
  EXPECT_EQ(with_lists(R"({"a":{"extraArgs":[{"name":"n","value":30},{"name":"b","value":true}]}})"),
            expected);
  EXPECT_EQ(with_lists(R"({"extraArgs":{"f":0.5}})").at("extraArgs").at(0).at("value"), "0.5");
  json::Value back = expected;
  ASSERT_TRUE(arguments_as_maps(back, "doc"));
  EXPECT_EQ(back, parse(R"({"a":{"extraArgs":{"n":"30","b":"true"}}})"));
}

TEST(Arguments, OfNoKnownFormAreRefusedWithTheirPlace) {
  for (const char* text : {R"({"a":{"extraArgs":"x"}})", R"({"a":{"extraArgs":["x"]}})",
                           R"({"a":{"extraArgs":{"n":[1]}}})", R"({"a":{"extraArgs":[{"name":"n"}]}})"}) {
    json::Value value = parse(text);
    const auto status = arguments_as_lists(value, "doc");
    ASSERT_FALSE(status) << text;
    EXPECT_THAT(status.error().message(), HasSubstr("doc.a.extraArgs: "));
  }
}

}  // namespace
}  // namespace sealift::installer
