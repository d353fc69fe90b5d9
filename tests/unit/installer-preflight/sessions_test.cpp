#include "installer/apply/sessions.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;

/// Refuses everybody, once as many are there as may be at once, and counts them.
class CrowdedWay final : public Transport {
 public:
  Result<std::unique_ptr<Session>> connect(const HostAddress& host) override {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++now_);
    ++came_;
    changed_.notify_all();
    const unsigned batch = (came_ + kConnectingAtOnce - 1) / kConnectingAtOnce * kConnectingAtOnce;
    changed_.wait(lock, [&] { return came_ >= batch; });
    // One too many would come now.
    changed_.wait_for(lock, std::chrono::milliseconds(20), [&] { return now_ > kConnectingAtOnce; });
    --now_;
    return fail(ErrorCode::network, "{} is not there", host.name);
  }
  unsigned most() const { return most_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned came_ = 0;
  unsigned now_ = 0;
  unsigned most_ = 0;
};

TEST(ConnectAll, DoesNotCrowdAJumpHostAndNamesEveryHost) {
  std::vector<HostAddress> hosts;
  for (unsigned i = 0; i < 3 * kConnectingAtOnce; ++i)
    hosts.push_back({fmt::format("host{:02}", i), "192.0.2.1"});
  CrowdedWay way;
  const auto sessions = connect_all(way, hosts);
  EXPECT_EQ(way.most(), kConnectingAtOnce);
  ASSERT_FALSE(sessions);
  EXPECT_EQ(sessions.error().code(), ErrorCode::network);
  for (const HostAddress& host : hosts)
    EXPECT_THAT(sessions.error().message(), HasSubstr(host.name + " is not there"));
}

}  // namespace
}  // namespace sealift::installer
