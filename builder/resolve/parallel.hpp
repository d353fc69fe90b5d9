/// Runs independent look-ups at the same time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift::builder {

/// Calls `work(i)` for 0 <= i < count on at most `jobs` threads. After a failure no new call begins; of
/// several failures the one with the smallest i is returned, so that the same mistake gives the same message.
template <typename Work>
Status for_each_parallel(std::size_t count, unsigned jobs, Work work) {
  std::vector<Status> results(count);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto take = [&] {
    for (std::size_t i = next++; i < count && !failed; i = next++) {
      results[i] = work(i);
      if (!results[i]) failed = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    const std::size_t wanted = std::min<std::size_t>(std::max(1U, jobs), count);
    for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(take);
    take();
  }
  for (Status& result : results) TRY(std::move(result));
  return {};
}

}  // namespace sealift::builder
