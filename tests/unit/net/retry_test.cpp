#include "lib/net/retry.hpp"

#include <gtest/gtest.h>

namespace sealift::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryDelay, DoublesUpToTheLongest) {
  const RetryPolicy policy{10, milliseconds(100), milliseconds(1000)};
  EXPECT_EQ(retry_delay(policy, 0, 0.0, {}), milliseconds(50));
  EXPECT_EQ(retry_delay(policy, 1, 0.0, {}), milliseconds(100));
  EXPECT_EQ(retry_delay(policy, 2, 0.5, {}), milliseconds(300));
  EXPECT_EQ(retry_delay(policy, 40, 0.0, {}), milliseconds(500));
  EXPECT_LT(retry_delay(policy, 40, 0.999, {}), milliseconds(1000));
}

TEST(RetryDelay, ObeysTheServerWithinReason) {
  const RetryPolicy policy{5, milliseconds(100), milliseconds(1000)};
  EXPECT_EQ(retry_delay(policy, 0, 0.0, seconds(7)), seconds(7));
  EXPECT_EQ(retry_delay(policy, 3, 0.0, seconds(0)), milliseconds(400));
  EXPECT_EQ(retry_delay(policy, 0, 0.0, seconds(100'000)), seconds(300));
}

TEST(ParseRetryAfter, ReadsSecondsAndDates) {
  const Timestamp now = *parse_rfc3339("2026-11-20T10:00:00Z");
  EXPECT_EQ(parse_retry_after("120", now), seconds(120));
  EXPECT_EQ(parse_retry_after("Fri, 20 Nov 2026 10:00:30 GMT", now), seconds(30));
  EXPECT_EQ(parse_retry_after("Fri, 20 Nov 2026 09:00:00 GMT", now), seconds(0));
  EXPECT_EQ(parse_retry_after("-5", now), seconds(0));
  EXPECT_EQ(parse_retry_after("", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
}

TEST(IsTransient, OnlyWhatMayPass) {
  EXPECT_TRUE(is_transient(Error(ErrorCode::network, "")));
  for (const ErrorCode code : {ErrorCode::untrusted, ErrorCode::integrity, ErrorCode::no_space,
                               ErrorCode::authentication, ErrorCode::not_found}) {
    EXPECT_FALSE(is_transient(Error(code, "")));
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_transient_status(status));
  for (const int status : {200, 301, 400, 401, 403, 404, 416, 501}) EXPECT_FALSE(is_transient_status(status));
}

TEST(WaitFor, EndsAtOnceWhenStopped) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(wait_for(std::chrono::hours(1), stop.get_token()));
  EXPECT_TRUE(wait_for(milliseconds(0), std::stop_token()));
}

}  // namespace
}  // namespace sealift::net
