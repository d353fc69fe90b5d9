// The agent within this process, on pipes.
#include "installer/host/agent.hpp"

#include <array>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "installer/host/protocol.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

struct Ends {
  FileDescriptor read;
  FileDescriptor write;
};

Ends make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

class AgentTest : public testing::Test {
 protected:
  AgentTest() : directory_(std::move(*TemporaryDirectory::create("sealift-agent-unit"))) {
    options_.root = directory_.path().string();
    options_.input = in_.read.get();
    options_.output = out_.write.get();
  }
  void say(const protocol::Request& request) {
    const std::string line = protocol::encode(request) + "\n";
    ASSERT_EQ(::write(in_.write.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }

  TemporaryDirectory directory_;
  Ends in_ = make_pipe();
  Ends out_ = make_pipe();
  AgentOptions options_;
};

TEST_F(AgentTest, EndsWhenTheInstallerFallsSilentWithoutClosing) {
  options_.patience = std::chrono::milliseconds(200);
  say(protocol::RunAsked{
      1,
      StepMode::apply,
      {"c", "i"},
      {{"w", WaitFor{.condition = FileExists{.path = "/never"}, .deadline = std::chrono::hours(1)}, ""}}});
  const Status status = serve_agent(options_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::network);
  EXPECT_NE(status.error().message().find("nothing was heard"), std::string::npos);
}

TEST_F(AgentTest, GoesOnWhileTheInstallerSaysThatItLives) {
  options_.patience = std::chrono::milliseconds(3000);
  std::thread installer([&] {
    for (int i = 0; i < 8; ++i) {
      ::usleep(500'000);
      say(protocol::Alive{});
    }
    in_.write = FileDescriptor();
  });
  const Status status = serve_agent(options_);
  installer.join();
  EXPECT_TRUE(status) << status.error().message();
}

TEST_F(AgentTest, SurvivesAReaderThatIsGone) {
  out_.read = FileDescriptor();
  say(protocol::FactsAsked{1, {}});
  in_.write = FileDescriptor();
  EXPECT_TRUE(serve_agent(options_));
}

}  // namespace
}  // namespace sealift::installer
