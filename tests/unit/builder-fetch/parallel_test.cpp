#include "builder/resolve/parallel.hpp"

#include <atomic>

#include <gtest/gtest.h>

namespace sealift::builder {
namespace {

TEST(ForEachParallel, CallsEachOnce) {
  std::vector<std::atomic<int>> calls(1000);
  ASSERT_TRUE(for_each_parallel(calls.size(), 8, [&](std::size_t i) -> Status {
    ++calls[i];
    return {};
  }));
  for (const auto& count : calls) EXPECT_EQ(count, 1);
}

TEST(ForEachParallel, StopsAfterAFailure) {
  std::atomic<int> calls{0};
  const Status status = for_each_parallel(1'000'000, 2, [&](std::size_t i) -> Status {
    ++calls;
    if (i == 3) return fail(ErrorCode::network, "the fourth");
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(), "the fourth");
  EXPECT_LT(calls, 1'000'000);
}

TEST(ForEachParallel, NothingToDoIsASuccess) {
  EXPECT_TRUE(
      for_each_parallel(0, 4, [](std::size_t) -> Status { return fail(ErrorCode::internal, "called"); }));
}

}  // namespace
}  // namespace sealift::builder
