#include "lib/base/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/base/log.hpp"

namespace sealift {
namespace {

TEST(FormatBytes, UsesBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes((1ULL << 30) - 1), "1.0 GiB");
  EXPECT_EQ(format_bytes(~0ULL), "16777216.0 TiB");
}

/// Standard error is what it was before when this goes.
class FullStandardError {
 public:
  FullStandardError() : before_(::dup(STDERR_FILENO)) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ::dup2(full, STDERR_FILENO);
    ::close(full);
  }
  ~FullStandardError() {
    std::clearerr(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  FullStandardError(const FullStandardError&) = delete;
  FullStandardError& operator=(const FullStandardError&) = delete;

 private:
  int before_;
};

TEST(StandardError, AFullOneEndsNoWork) {
  const FullStandardError full;
  Log().error("nobody reads this");
  const auto progress = make_progress("reading", ProgressStyle::automatic);
  progress->total(2);
  const auto item = progress->begin("a", 2);
  progress->advance(item, 2);
  progress->end(item);
}

}  // namespace
}  // namespace sealift
