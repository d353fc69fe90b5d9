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

TEST(Json, WritesOnlyUtf8) {
  const std::string replaced = "\xEF\xBF\xBD";
  const std::string bad =
      "a\xFF"
      "b\xC3";
  EXPECT_EQ(serialize(Object{{bad, bad}}), fmt::format("{{\"a{0}b{0}\":\"a{0}b{0}\"}}", replaced));
  EXPECT_EQ(serialize_pretty(Array{bad}), fmt::format("[\n  \"a{0}b{0}\"\n]\n", replaced));
  EXPECT_TRUE(parse(serialize(Object{{bad, bad}}), "x"));
}

/// As the parser says: every pair of bytes, then what may follow the leads with a rule of their own.
TEST(Json, KnowsUtf8AsItsParserDoes) {
  std::vector<std::string> texts;
  for (const std::string tail : {"", "\x80", "\x80\x80", "\xBF\xBF", "1234567\xC3\xA9"}) {
    for (unsigned first = 0x80; first < 0x100; ++first) {
      for (unsigned second = 0x20; second < 0x100; ++second)
        texts.push_back(std::string{static_cast<char>(first), static_cast<char>(second)} + tail);
    }
  }
  for (std::string text : texts) {
    text = "12345678" + text;
    if (text.find_first_of("\"\\") != std::string::npos) continue;
    const bool parsed = parse('"' + text + '"', "x").has_value();
    EXPECT_EQ(can_hold(text), parsed) << testing::PrintToString(text);
    EXPECT_EQ(to_utf8(text) == text, parsed) << testing::PrintToString(text);
    EXPECT_TRUE(can_hold(to_utf8(text)));
  }
}

TEST(Json, PrettyKeepsTheOrderAndEndsTheLine) {
  EXPECT_EQ(serialize_pretty(Object{{"b", 1}, {"a", Array{}}, {"c", Array{"x"}}}),
            "{\n  \"b\": 1,\n  \"a\": [],\n  \"c\": [\n    \"x\"\n  ]\n}\n");
}

}  // namespace
}  // namespace sealift::json
