// The deploy host's end of the protocol against a scripted agent.
#include <condition_variable>
#include <deque>
#include <mutex>

#include <gtest/gtest.h>

#include "installer/host/agent_session.hpp"
#include "installer/host/protocol.hpp"

namespace sealift::installer {
namespace {

/// Shared by the test and the channel that the session owns.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;
  std::vector<std::string> sent;
  bool closed = false;
  std::function<void(Script&, const protocol::Request&)> on_request;

  void say(const protocol::Answer& answer) { lines.push_back(protocol::encode(answer)); }
};

class ScriptedChannel final : public Channel {
 public:
  explicit ScriptedChannel(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  Status send(std::string_view line) override {
    const std::lock_guard lock(script_->mutex);
    script_->sent.emplace_back(line);
    if (script_->on_request) script_->on_request(*script_, *protocol::parse_request(line));
    script_->changed.notify_all();
    return {};
  }
  Result<std::optional<std::string>> receive(std::chrono::milliseconds) override {
    std::unique_lock lock(script_->mutex);
    script_->changed.wait(lock, [&] { return !script_->lines.empty() || script_->closed; });
    if (script_->lines.empty()) return std::nullopt;
    std::string line = script_->lines.front();
    script_->lines.pop_front();
    return line;
  }
  std::string diagnosis() override { return "Connection reset by 10.0.0.1"; }
  void close() override {
    const std::lock_guard lock(script_->mutex);
    script_->closed = true;
    script_->changed.notify_all();
  }

 private:
  std::shared_ptr<Script> script_;
};

std::shared_ptr<Script> greeting() {
  auto script = std::make_shared<Script>();
  script->say(protocol::Hello{protocol::kVersion, "sha256:p", "0.1", 0});
  return script;
}

Result<std::unique_ptr<Session>> open(const std::shared_ptr<Script>& script,
                                      const std::string& program = "sha256:p") {
  return open_session(std::make_unique<ScriptedChannel>(script), "cp1", program);
}

TEST(OpenSession, SkipsWhatALoginScriptSays) {
  auto script = std::make_shared<Script>();
  script->lines = {"Welcome!", "{\"not\":\"ours\"}"};
  script->say(protocol::Hello{protocol::kVersion, "sha256:p", "0.1", 0});
  EXPECT_TRUE(open(script));
}

TEST(OpenSession, RefusesAnotherProgramOrProtocol) {
  EXPECT_EQ(open(greeting(), "sha256:other").error().code(), ErrorCode::integrity);
  auto script = std::make_shared<Script>();
  script->say(protocol::Hello{99, "sha256:p", "0.1", 0});
  EXPECT_EQ(open(script).error().code(), ErrorCode::unsupported);
}

TEST(OpenSession, QuotesWhatCameInsteadOfAnAgent) {
  auto script = std::make_shared<Script>();
  script->closed = true;
  const auto session = open(script);
  ASSERT_FALSE(session);
  EXPECT_NE(session.error().message().find("Connection reset"), std::string::npos);
}

TEST(Session, AnswersGoToThoseWhoAsked) {
  auto script = greeting();
  script->on_request = [](Script& self, const protocol::Request& request) {
    if (const auto* run = std::get_if<protocol::RunAsked>(&request)) {
      self.say(
          protocol::EventTold{999, {.kind = StepEvent::Kind::output, .step_id = "x", .text = "for nobody"}});
      self.say(
          protocol::EventTold{run->id, {.kind = StepEvent::Kind::output, .step_id = "x", .text = "mine"}});
      self.say(protocol::EndTold{run->id, false, ErrorCode::no_space, "disk full"});
    } else if (const auto* facts = std::get_if<protocol::FactsAsked>(&request)) {
      protocol::FactsTold told{facts->id, {}};
      told.facts.hostname = "cp1";
      self.say(told);
    }
  };
  const auto session = open(script);
  ASSERT_TRUE(session);
  std::string heard;
  const Status status = (*session)->run({}, {{"x", SwapOff{}, ""}}, StepMode::apply,
                                        [&](const StepEvent& event) { heard += event.text; });
  EXPECT_EQ(heard, "mine");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::no_space);
  EXPECT_EQ((*session)->facts({})->hostname, "cp1");
}

TEST(Session, ABrokenConnectionEndsEveryWait) {
  auto script = greeting();
  script->on_request = [](Script& self, const protocol::Request&) { self.closed = true; };
  const auto session = open(script);
  ASSERT_TRUE(session);
  const Status status = (*session)->run({}, {{"x", SwapOff{}, ""}}, StepMode::apply, [](const StepEvent&) {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::network);
  EXPECT_NE(status.error().message().find("Connection reset"), std::string::npos);
  EXPECT_NE(status.error().message().find("resume"), std::string::npos);
}

TEST(Session, NonsenseFromTheAgentIsAnErrorNotACrash) {
  auto script = greeting();
  script->on_request = [](Script& self, const protocol::Request&) {
    self.lines.emplace_back("{\"type\":\"end\"}");
  };
  const auto session = open(script);
  ASSERT_TRUE(session);
  EXPECT_EQ((*session)->facts({}).error().code(), ErrorCode::integrity);
}

}  // namespace
}  // namespace sealift::installer
