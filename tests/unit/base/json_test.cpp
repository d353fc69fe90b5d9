#include "lib/base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::json {
namespace {

TEST(Json, RejectsWhatIsNotStrict) {
  for (const char* text : {"", "{", "{\"a\":1,}", "{'a':1}", "[1] x", "NaN"})
    EXPECT_FALSE(parse(text, "x")) << text;
}

TEST(Json, RejectsDeepNesting) { EXPECT_FALSE(parse(std::string(1000, '[') + std::string(1000, ']'), "x")); }

TEST(Json, RefusesWhatWouldTakeTooMuchMemory) {
  std::string ones = "[1";
  std::string empty = "{\"a\":[[]";
  for (int i = 0; i < 500'000; ++i) {
    ones += ",1";
    empty += ",[]";
  }
  for (const std::string& text :
       {ones + "]", empty + "]}", ones, "{\"x\":\"" + std::string(9U << 20, 'x') + "\"}"}) {
    const auto value = parse(text, "x.json", 8U << 20);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code(), ErrorCode::integrity);
    EXPECT_THAT(value.error().message(), testing::HasSubstr("x.json: reading its"));
  }
  const auto small = parse("{\"a\":[1,\"two\",{}]}", "x.json", 1U << 20);
  ASSERT_TRUE(small) << small.error().message();
  EXPECT_EQ(serialize(*small), "{\"a\":[1,\"two\",{}]}");
  EXPECT_FALSE(parse("{} x", "x.json", 1U << 20));
  EXPECT_FALSE(parse(std::string(1000, '[') + std::string(1000, ']'), "x", 1U << 20));
}

TEST(Json, NamesThePlaceOfAProblem) {
  const Value value = *parse(R"({"list":[{"name":"a"},{"name":7}]})", "x.json");
  const Reader reader = *Reader::of(value, "x.json");
  const Status status = reader.each("list", [](const Reader& item) -> Status {
    TRY(item.string("name"));
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(), "x.json: list[1].name: expected a string, found a number");
}

TEST(Json, RefusesNegativeAndFractionalCounts) {
  const Value value = *parse(R"({"a":-1,"b":1.5,"c":18446744073709551615})", "x");
  const Reader reader = *Reader::of(value, "x");
  EXPECT_FALSE(reader.unsigned_integer("a"));
  EXPECT_FALSE(reader.unsigned_integer("b"));
  EXPECT_EQ(reader.unsigned_integer("c").value(), ~0ULL);
}

TEST(Json, PrettyKeepsTheOrderAndEndsTheLine) {
  EXPECT_EQ(serialize_pretty(Object{{"b", 1}, {"a", Array{}}, {"c", Array{"x"}}}),
            "{\n  \"b\": 1,\n  \"a\": [],\n  \"c\": [\n    \"x\"\n  ]\n}\n");
}

}  // namespace
}  // namespace sealift::json
