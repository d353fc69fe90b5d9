#include "lib/pkgrepo/apt/dependency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::pkgrepo::apt {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST(ParseRelations, ReadsAlternativesVersionsAndQualifiers) {
  const auto clauses =
      parse_relations("a, b (>= 1.0) | c:any(<<2:3-1) ,\n python3:any (= 3.11~rc1)", "x, Depends");
  ASSERT_TRUE(clauses) << clauses.error().message();
  ASSERT_THAT(*clauses, SizeIs(3));
  EXPECT_EQ((*clauses)[0][0].str(), "a");
  ASSERT_THAT((*clauses)[1], SizeIs(2));
  EXPECT_EQ((*clauses)[1][0].str(), "b (>= 1.0)");
  EXPECT_EQ((*clauses)[1][1].str(), "c:any (<< 2:3-1)");
  EXPECT_EQ((*clauses)[2][0].str(), "python3:any (= 3.11~rc1)");
}

TEST(ParseRelations, AnEmptyFieldHasNone) {
  EXPECT_THAT(*parse_relations("", "x"), SizeIs(0));
  EXPECT_THAT(*parse_relations(" , ,", "x"), SizeIs(0));
}

TEST(ParseRelations, RefusesWhatIsNone) {
  for (const char* bad :
       {"a (1.0)", "a (>= )", "a (>= 1.0", "a b", "|", "a |", "../x", "a (>= 1 0)", "a:", "a (= $(id))"}) {
    const auto clauses = parse_relations(bad, "evil 1.0, Depends");
    ASSERT_FALSE(clauses) << bad;
    EXPECT_EQ(clauses.error().code(), ErrorCode::integrity);
    EXPECT_THAT(clauses.error().message(), HasSubstr("evil 1.0, Depends"));
  }
}

TEST(ParseRelations, RefusesTooMany) {
  std::string field = "aa";
  for (int i = 0; i < 5000; ++i) field += ",aa";
  EXPECT_FALSE(parse_relations(field, "x"));
  std::string alternatives = "aa";
  for (int i = 0; i < 1000; ++i) alternatives += "|aa";
  EXPECT_FALSE(parse_relations(alternatives, "x"));
}

TEST(Relation, AcceptsByItsComparison) {
  const auto accepts = [](const char* relation, const char* version) {
    return parse_relations(relation, "x")->at(0).at(0).accepts(version);
  };
  EXPECT_TRUE(accepts("aa", "0"));
  EXPECT_TRUE(accepts("aa (>= 2)", "2"));
  EXPECT_FALSE(accepts("aa (>= 2)", "2~rc1"));
  EXPECT_FALSE(accepts("aa (>> 2)", "2"));
  EXPECT_TRUE(accepts("aa (>> 2)", "2+b1"));
  EXPECT_TRUE(accepts("aa (= 2)", "0:2"));
  EXPECT_TRUE(accepts("aa (<= 2)", "2"));
  EXPECT_FALSE(accepts("aa (<< 2)", "2"));
  EXPECT_TRUE(accepts("aa (<< 2)", "2~"));
  EXPECT_TRUE(accepts("aa (< 2)", "2")) << "the old sign means 'or equal' (deb-control(5))";
  EXPECT_TRUE(accepts("aa (> 2)", "2"));
}

}  // namespace
}  // namespace sealift::pkgrepo::apt
