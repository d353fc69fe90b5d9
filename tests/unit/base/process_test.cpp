#include "lib/base/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift {
namespace {

TEST(Run, GivesInputAndReturnsBothOutputs) {
  const auto output = run({.arguments = {"sh", "-c", "cat; echo problem >&2; exit 3"}, .input = "hello"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "hello");
  EXPECT_EQ(output->err, "problem\n");
  EXPECT_EQ(output->exit_code, 3);
}

TEST(Run, PassesMoreThanAPipeHolds) {
  const std::string big(3U << 20, 'x');
  const auto output = run({.arguments = {"cat"}, .input = big});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out.size(), big.size());
}

TEST(Run, KeepsTheEndOfTooMuchOutput) {
  const auto output =
      run({.arguments = {"sh", "-c", "head -c 100000 /dev/zero; echo end"}, .output_limit_bytes = 1000});
  ASSERT_TRUE(output);
  EXPECT_LE(output->out.size(), 1000U);
  EXPECT_THAT(output->out, testing::EndsWith("end\n"));
}

TEST(Run, EndsTheWholeGroupAtTheDeadline) {
  const auto output =
      run({.arguments = {"sh", "-c", "sleep 100 & sleep 100"}, .deadline = std::chrono::milliseconds(200)});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code(), ErrorCode::interrupted);
}

TEST(Run, SaysWhenAProgramIsMissing) {
  const auto output = run({.arguments = {"sealift-no-such-program"}});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code(), ErrorCode::not_found);
}

TEST(Run, ReplacesEnvironmentVariables) {
  const auto output =
      run({.arguments = {"sh", "-c", "echo $SEALIFT_X"}, .environment = {{"SEALIFT_X", "set"}}});
  EXPECT_EQ(output->out, "set\n");
}

TEST(RunChecked, QuotesStandardError) {
  const auto output = run_checked({.arguments = {"sh", "-c", "echo why >&2; exit 1"}});
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().message(), testing::HasSubstr("exit code 1: why"));
}

}  // namespace
}  // namespace sealift
