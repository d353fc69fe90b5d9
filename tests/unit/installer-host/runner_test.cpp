#include "installer/apply/runner.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

namespace sealift::installer {
namespace {

/// Plays one host: notes the order of steps over all hosts, fails those it is told to.
struct World {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> order;
  std::vector<std::string> failing;
  std::map<std::string, std::string> outputs;
  std::string hold;  ///< a step that waits until cancelled
  std::string meet;  ///< steps with this in their id wait for `meeting` of them to be under way together
  unsigned meeting = 0;
  unsigned met = 0;
  bool cancelled = false;
};

class FakeSession final : public Session {
 public:
  explicit FakeSession(World& world) : world_(world) {}
  Status hold(const StepEventHandler&) override { return {}; }
  Result<Facts> facts(const FactsRequest&) override { return Facts{}; }
  void cancel() override {
    const std::lock_guard lock(world_.mutex);
    world_.cancelled = true;
    world_.changed.notify_all();
  }
  Status run(const Owner&, const std::vector<Step>& steps, StepMode mode,
             const StepEventHandler& handler) override {
    for (const Step& step : steps) {
      handler({.kind = StepEvent::Kind::started, .step_id = step.id});
      StepEvent end{.kind = StepEvent::Kind::finished, .step_id = step.id, .text = "changed it"};
      end.result = mode == StepMode::check ? StepResult::would_change : StepResult::changed;
      {
        std::unique_lock lock(world_.mutex);
        world_.order.push_back(step.id);
        if (!world_.meet.empty() && step.id.find(world_.meet) != std::string::npos) {
          ++world_.met;
          world_.changed.notify_all();
          if (!world_.changed.wait_for(lock, std::chrono::seconds(20),
                                       [&] { return world_.met >= world_.meeting; })) {
            return fail(ErrorCode::internal, "not in parallel");
          }
        }
        if (step.id == world_.hold) {
          world_.changed.notify_all();
          world_.changed.wait(lock, [&] { return world_.cancelled; });
        }
        if (const auto found = world_.outputs.find(step.id); found != world_.outputs.end()) {
          end.has_output = true;
          end.output = found->second;
        }
        if (std::find(world_.failing.begin(), world_.failing.end(), step.id) != world_.failing.end()) {
          end.result = StepResult::failed;
          end.text = "it broke";
        }
      }
      handler(end);
      if (end.result == StepResult::failed) return fail(ErrorCode::io, "it broke");
      if (world_.cancelled) return fail(ErrorCode::interrupted, "stopped");
    }
    return {};
  }

 private:
  World& world_;
};

class Nothing final : public RunObserver {
 public:
  void task_started(const Task&) override {}
  void step_event(const Task&, const StepEvent& event) override { shown += event.output; }
  void task_finished(const Task&, TaskResult, const std::string&) override {}
  std::string shown;
};

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    plan_ = {.cluster_name = "c",
             .cluster_id = "i",
             .phases = {{"one", ""}, {"two", ""}, {"three", ""}},
             .tasks = {}};
    for (const char* host : {"a", "b", "c"}) {
      fakes_[host] = std::make_unique<FakeSession>(world_);
      sessions_[host] = fakes_[host].get();
    }
  }
  void task(const std::string& phase, const std::string& host, std::vector<std::string> after = {}) {
    const std::string id = phase + "/" + host;
    plan_.tasks.push_back({.id = id,
                           .phase = phase,
                           .host = host,
                           .after = std::move(after),
                           .steps = {{id + "/x", SwapOff{}, "look at it"}}});
  }
  RunSummary run(RunOptions options = {}) {
    auto summary = run_plan(plan_, sessions_, options, observer_);
    EXPECT_TRUE(summary) << (summary ? "" : summary.error().message());
    return std::move(*summary);
  }
  std::size_t place(const std::string& id) const {
    return static_cast<std::size_t>(std::find(world_.order.begin(), world_.order.end(), id) -
                                    world_.order.begin());
  }

  World world_;
  Plan plan_;
  Nothing observer_;
  std::map<std::string, std::unique_ptr<FakeSession>> fakes_;
  std::map<std::string, Session*> sessions_;
};

TEST_F(RunnerTest, HostsWorkAtTheSameTime) {
  for (const char* host : {"a", "b", "c"}) task("one", host);
  world_.meet = "one/";
  world_.meeting = 3;
  const RunSummary summary = run();
  EXPECT_TRUE(summary.failures.empty());
  EXPECT_EQ(summary.changes.size(), 3U);
}

TEST_F(RunnerTest, KeepsWhatMustBeSerialSerial) {
  for (const char* host : {"a", "b", "c"}) task("one", host);
  task("two", "a", {"phase:one"});
  task("two", "b", {"two/a"});
  task("two", "c", {"two/b"});
  run();
  EXPECT_LT(place("one/c/x"), place("two/a/x"));
  EXPECT_LT(place("two/a/x"), place("two/b/x"));
  EXPECT_LT(place("two/b/x"), place("two/c/x"));
}

TEST_F(RunnerTest, AFailureStopsItsDependantsAndLaterPhasesButNotItsPeers) {
  for (const char* host : {"a", "b", "c"}) task("one", host);
  task("two", "b", {"phase:one"});
  world_.failing = {"one/a/x"};
  world_.meet = "one/";
  world_.meeting = 3;
  const RunSummary summary = run();
  ASSERT_EQ(summary.failures.size(), 1U);
  EXPECT_EQ(summary.failures[0].host, "a");
  EXPECT_EQ(summary.failures[0].step_id, "one/a/x");
  EXPECT_EQ(summary.failures[0].hint, "look at it");
  EXPECT_EQ(summary.changes.size(), 2U) << "b and c finish their phase";
  const Status status = to_status(summary);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("look at it"), std::string::npos);
  EXPECT_NE(status.error().message().find("again"), std::string::npos) << "says how to resume";
}

TEST_F(RunnerTest, DependantsOfAFailureNeverStart) {
  task("one", "a");
  task("one", "b", {"one/a"});
  task("two", "c", {"phase:one"});
  world_.failing = {"one/a/x"};
  const RunSummary summary = run();
  EXPECT_EQ(world_.order, (std::vector<std::string>{"one/a/x"}));
  EXPECT_EQ(summary.skipped_tasks.size(), 2U);
}

TEST_F(RunnerTest, CancellingEndsAfterTheCurrentStep) {
  task("one", "a");
  plan_.tasks[0].steps.push_back({"one/a/y", SwapOff{}, ""});
  task("two", "a");
  world_.hold = "one/a/x";
  std::atomic<bool> cancel{false};
  std::thread signal([&] {
    std::unique_lock lock(world_.mutex);
    world_.changed.wait(lock, [&] { return !world_.order.empty(); });
    cancel = true;
  });
  RunOptions options;
  options.cancel = &cancel;
  const RunSummary summary = run(options);
  signal.join();
  EXPECT_TRUE(summary.cancelled);
  EXPECT_TRUE(summary.failures.empty());
  EXPECT_EQ(world_.order, (std::vector<std::string>{"one/a/x"}));
  EXPECT_EQ(to_status(summary).error().code(), ErrorCode::interrupted);
}

TEST_F(RunnerTest, LaterTasksAreMadeFromWhatEarlierOnesTold) {
  task("one", "a");
  plan_.tasks[0].steps = {{"one/a/ask", Capture{.arguments = {"x"}, .secrecy = Secrecy::secret}, ""}};
  world_.outputs["one/a/ask"] = "hash";
  Task made{.id = "two/b", .phase = "two", .host = "b", .after = {"one/a"}};
  made.make_steps = [](const Outputs& outputs) -> Result<std::vector<Step>> {
    TRY_ASSIGN(const std::string value, outputs.get("one/a/ask"));
    return std::vector<Step>{{"two/b/" + value, SwapOff{}, ""}};
  };
  plan_.tasks.push_back(made);
  const RunSummary summary = run();
  EXPECT_EQ(world_.order.back(), "two/b/hash");
  EXPECT_EQ(*summary.outputs.get("one/a/ask"), "hash");
  EXPECT_EQ(observer_.shown, "") << "a secret is not shown";
}

TEST_F(RunnerTest, ADryRunSaysWhatIsNotKnownYet) {
  Task made{.id = "two/b", .phase = "two", .host = "b"};
  made.make_steps = [](const Outputs& outputs) -> Result<std::vector<Step>> {
    TRY_ASSIGN(const std::string value, outputs.get("nothing"));
    return std::vector<Step>{};
  };
  plan_.tasks.push_back(made);
  RunOptions options;
  options.mode = StepMode::check;
  const RunSummary summary = run(options);
  EXPECT_EQ(summary.unknown_tasks, (std::vector<std::string>{"two/b"}));
  EXPECT_TRUE(to_status(summary));
}

}  // namespace
}  // namespace sealift::installer
