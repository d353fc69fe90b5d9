#include <gtest/gtest.h>

#include "builder/fetch/registry_client.hpp"

namespace sealift::builder {
namespace {

TEST(WithRetries, SaysThatItWasStoppedNotThatTheNetworkFailed) {
  std::stop_source source;
  int attempts = 0;
  const auto result =
      with_retries(net::RetryPolicy{.retries = 5}, source.get_token(), [&](auto&) -> Result<int> {
        ++attempts;
        source.request_stop();
        return fail(ErrorCode::network, "no answer");
      });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::interrupted);
  EXPECT_NE(result.error().message().find("no answer"), std::string::npos);
  EXPECT_EQ(attempts, 1);
}

}  // namespace
}  // namespace sealift::builder
