#include "lib/pkgrepo/apt/deb822.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::pkgrepo::apt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReadStanzas, SplitsAtEmptyLinesAndCountsThem) {
  const std::string text = "\n\nPackage: a\nVersion: 1\n\n \t\nPackage: b";
  StanzaReader reader(text, "Packages");
  auto first = reader.next();
  ASSERT_TRUE(first && *first != nullptr);
  EXPECT_EQ((*first)->text, "Package: a\nVersion: 1");
  EXPECT_EQ((*first)->line, 3U);
  EXPECT_EQ((*first)->get("version"), "1");
  auto second = reader.next();
  ASSERT_TRUE(second && *second != nullptr);
  EXPECT_EQ((*second)->get("Package"), "b");
  EXPECT_EQ((*second)->line, 7U);
  auto end = reader.next();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, nullptr);
}

TEST(ReadStanzas, KeepsContinuationLines) {
  const std::string text = "Description: short\n long\n .\n more\t\nTag:\n one,\n two\n";
  StanzaReader reader(text, "Packages");
  const auto stanza = reader.next();
  ASSERT_TRUE(stanza && *stanza != nullptr);
  EXPECT_EQ((*stanza)->get("Description"), "short\n long\n .\n more");
  EXPECT_EQ((*stanza)->get("Tag"), "\n one,\n two");
  EXPECT_FALSE((*stanza)->has("Absent"));
  EXPECT_EQ((*stanza)->get("Absent"), "");
}

TEST(ReadStanzas, AnEmptyTextHasNone) {
  for (const char* text : {"", "\n", " \n\t\n"}) {
    StanzaReader reader(text, "Packages");
    const auto stanza = reader.next();
    ASSERT_TRUE(stanza);
    EXPECT_EQ(*stanza, nullptr);
  }
}

struct BadText {
  const char* name;
  std::string text;
  const char* words;
};

class RefusedText : public testing::TestWithParam<BadText> {};

TEST_P(RefusedText, NamesFileAndLine) {
  StanzaReader reader(GetParam().text, "Packages");
  const auto stanza = reader.next();
  ASSERT_FALSE(stanza);
  EXPECT_EQ(stanza.error().code(), ErrorCode::integrity);
  EXPECT_THAT(stanza.error().message(), HasSubstr("Packages, line"));
  EXPECT_THAT(stanza.error().message(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Attacks, RefusedText,
    testing::Values(BadText{"no_colon", "Package a\n", "line 1: expected 'Name: value'"},
                    BadText{"continuation_first", " more\nPackage: a\n", "line 1: a continuation"},
                    BadText{"repeated_field", "Package: a\nVersion: 1\npackage: b\n",
                            "line 3: field package appears twice"},
                    BadText{"nul_byte", std::string("Package: a\0b\n", 13), "line 1: a NUL byte"},
                    BadText{"blank_in_name", "Pack age: a\n", "line 1"},
                    BadText{"empty_name", ": a\n", "line 1"},
                    BadText{"long_name", std::string(200, 'x') + ": a\n", "line 1"},
                    BadText{"comment", "# Package: a\n", "line 1"},
                    BadText{"huge_stanza", "Package: a\nX: " + std::string(5U << 20, 'x') + "\n",
                            "a stanza of more than"}),
    [](const auto& test) { return test.param.name; });

TEST(ReadStanzas, RefusesTooManyFields) {
  std::string text;
  for (int i = 0; i < 600; ++i) text += fmt::format("X{}: 1\n", i);
  StanzaReader reader(text, "Packages");
  EXPECT_FALSE(reader.next());
}

TEST(SplitWords, SkipsAllBlanks) {
  EXPECT_THAT(words(" a\t b\n\r c "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(words(" \n"), ElementsAre());
  EXPECT_EQ(trimmed(" \n a b\t"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
}

}  // namespace
}  // namespace sealift::pkgrepo::apt
