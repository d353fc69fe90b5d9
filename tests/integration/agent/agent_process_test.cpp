// The real agent as a child process, with real files below a temporary root.
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

#include "installer/apply/sessions.hpp"
#include "installer/host/agent_session.hpp"
#include "installer/host/journal.hpp"
#include "installer/host/protocol.hpp"
#include "program.hpp"

namespace sealift::installer {
namespace {

class AgentProcess : public testing::Test {
 protected:
  AgentProcess()
      : directory_(std::move(*TemporaryDirectory::create("sealift-agent"))),
        root_(directory_.path().string()) {}

  std::string get(const std::string& path) const {
    return read_file(root_ + path, 1 << 20).value_or("(none)");
  }
  bool appears(const std::string& path) const {
    for (int i = 0; i < 1000; ++i) {
      if (fs::exists(root_ + path)) return true;
      ::poll(nullptr, 0, 20);
    }
    return false;
  }
  pid_t agent_pid() const { return std::stoi(get("/run/sealift/agent.lock")); }
  static bool ends(pid_t pid) {
    for (int i = 0; i < 1000; ++i) {
      if (::kill(pid, 0) != 0) return true;
      // A killed child of ours stays as a zombie until its session is closed.
      const auto status = read_file(fmt::format("/proc/{}/stat", pid), 4096);
      if (!status || status->find(") Z ") != std::string::npos) return true;
      ::poll(nullptr, 0, 20);
    }
    return false;
  }
  Step shell(const std::string& id, const std::string& text) const {
    return {id, installer::Run{.arguments = {"sh", "-c", "cd " + root_ + " && " + text}}, ""};
  }

  TemporaryDirectory directory_;
  std::string root_;
};

TEST_F(AgentProcess, DoesStepsAndTheSecondTimeNothing) {
  const std::vector<Step> steps = {{"a", WriteFile{.path = "/etc/a", .content = "a"}, ""},
                                   shell("b", "echo hello; touch b"),
                                   {"c", Capture{.arguments = {"echo", "told"}}, ""}};
  {
    const auto session = local_session(root_);
    ASSERT_NE(session, nullptr);
    Told plan;
    ASSERT_TRUE(session->run(kOwner, steps, StepMode::check, plan.handler()));
    EXPECT_EQ(plan.result("a"), StepResult::would_change);
    EXPECT_TRUE(fs::is_empty(root_));
    Told first;
    const Status status = session->run(kOwner, steps, StepMode::apply, first.handler());
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(first.result("a"), StepResult::changed);
    EXPECT_EQ(first.result("b"), StepResult::changed);
    EXPECT_EQ(first.output, "hello\n");
    EXPECT_EQ(first.finished["c"].output, "told");
  }
  const std::string log = get("/var/lib/sealift/journal/log");
  const auto session = local_session(root_);
  Told second;
  ASSERT_TRUE(session->run(kOwner, steps, StepMode::apply, second.handler()));
  EXPECT_EQ(second.result("a"), StepResult::unchanged);
  EXPECT_EQ(second.result("b"), StepResult::unchanged);
  EXPECT_EQ(get("/var/lib/sealift/journal/log"), log) << "nothing changed, nothing was written";
}

TEST_F(AgentProcess, APlanAfterAnInstallationInOneSessionSeesWhatIsNow) {
  const auto session = local_session(root_);
  const std::vector<Step> file = {{"f", WriteFile{.path = "/etc/f", .content = "x"}, ""}};
  const std::vector<Step> watcher = {
      {"w",
       installer::Run{
           .arguments = {"sh", "-c", "touch " + root_ + "/w"}, .creates = "/w", .restart_on = {"f"}},
       ""}};
  Told told;
  ASSERT_TRUE(session->run(kOwner, file, StepMode::check, told.handler()));
  ASSERT_TRUE(session->run(kOwner, watcher, StepMode::check, told.handler()));
  EXPECT_EQ(told.result("w"), StepResult::would_change);
  ASSERT_TRUE(session->run(kOwner, file, StepMode::apply, told.handler()));
  ASSERT_TRUE(session->run(kOwner, watcher, StepMode::apply, told.handler()));
  ASSERT_TRUE(session->run(kOwner, file, StepMode::check, told.handler()));
  ASSERT_TRUE(session->run(kOwner, watcher, StepMode::check, told.handler()));
  EXPECT_EQ(told.result("f"), StepResult::unchanged);
  EXPECT_EQ(told.result("w"), StepResult::unchanged);
}

TEST_F(AgentProcess, RefusesAHostOfAnotherCluster) {
  Told told;
  ASSERT_TRUE(local_session(root_)->run(kOwner, {shell("a", "true")}, StepMode::apply, told.handler()));
  for (const StepMode mode : {StepMode::check, StepMode::apply, StepMode::undo}) {
    const Status status =
        local_session(root_)->run({"other", "id-2"}, {shell("b", "touch b")}, mode, told.handler());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::conflict);
  }
  EXPECT_FALSE(fs::exists(root_ + "/b"));
  const auto facts = local_session(root_)->facts({});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->journal_cluster_name, "prod");
  EXPECT_EQ(facts->journal_cluster_id, "id-1");
}

TEST_F(AgentProcess, StopsAtTheFirstFailureAndSaysWhy) {
  Told told;
  const Status status =
      local_session(root_)->run(kOwner, {shell("a", "echo the reason >&2; exit 7"), shell("b", "touch b")},
                                StepMode::apply, told.handler());
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("the reason"), std::string::npos);
  EXPECT_EQ(told.result("a"), StepResult::failed);
  EXPECT_FALSE(fs::exists(root_ + "/b"));
}

TEST_F(AgentProcess, KilledInTheMiddleOfAStepItTakesItsProgramWithItAndResumes) {
  installer::Run slow{
      .arguments = {"sh", "-c", "cd " + root_ + " && echo $$ >pid && touch half && exec sleep 300"},
      .creates = "/half",
      .recover = {"sh", "-c", "rm -f " + root_ + "/half && touch " + root_ + "/recovered"}};
  auto session = local_session(root_);
  Told told;
  Status status;
  std::thread running([&] {
    status = session->run(kOwner, {{"w", WriteFile{.path = "/etc/w", .content = "1"}, ""}, {"s", slow, ""}},
                          StepMode::apply, told.handler());
  });
  ASSERT_TRUE(appears("/half"));
  const pid_t program = std::stoi(get("/pid"));
  ASSERT_EQ(::kill(agent_pid(), SIGKILL), 0);
  running.join();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::network);
  EXPECT_TRUE(ends(program)) << "a resumed run must not meet the old program";
  session.reset();

  installer::Run quick = slow;
  quick.arguments = {"sh", "-c", "cd " + root_ + " && test -e recovered && touch half whole"};
  const Status resumed = local_session(root_)->run(
      kOwner, {{"w", WriteFile{.path = "/etc/w", .content = "1"}, ""}, {"s", quick, ""}}, StepMode::apply,
      told.handler());
  ASSERT_TRUE(resumed) << resumed.error().message();
  EXPECT_EQ(told.result("w"), StepResult::unchanged);
  EXPECT_EQ(told.result("s"), StepResult::changed);
  EXPECT_TRUE(fs::exists(root_ + "/whole"));
}

TEST_F(AgentProcess, FinishesTheProgramUnderWayWhenTheInstallerVanishes) {
  auto channel = start_channel({"/proc/self/exe", "agent", "--root", root_}, {});
  ASSERT_TRUE(channel);
  const protocol::RunAsked asked{
      1,
      StepMode::apply,
      kOwner,
      {shell("a", "touch begun; sleep 1; touch finished"), shell("b", "touch never")}};
  ASSERT_TRUE((*channel)->send(protocol::encode(asked)));
  ASSERT_TRUE(appears("/begun"));
  channel->reset();  // closes its input and waits for its end
  EXPECT_TRUE(fs::exists(root_ + "/finished"));
  EXPECT_FALSE(fs::exists(root_ + "/never"));
  EXPECT_EQ((*Journal::open(root_))->find("a")->event, StepRecord::Event::done);
}

TEST_F(AgentProcess, EndsAWaitWhenTheInstallerVanishes) {
  auto channel = start_channel({"/proc/self/exe", "agent", "--root", root_}, {});
  ASSERT_TRUE(channel);
  const protocol::RunAsked asked{
      1,
      StepMode::apply,
      kOwner,
      {shell("a", "touch begun"),
       {"w", WaitFor{.condition = FileExists{.path = "/never"}, .deadline = std::chrono::hours(1)}, ""}}};
  ASSERT_TRUE((*channel)->send(protocol::encode(asked)));
  ASSERT_TRUE(appears("/begun"));
  const auto begin = std::chrono::steady_clock::now();
  channel->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(AgentProcess, TwoInstallersDoNotMeetOnOneHost) {
  auto first = local_session(root_);
  Told told;
  Status one;
  Status two;
  std::thread a([&] {
    one = first->run(kOwner, {shell("a", "touch begun; sleep 1; touch first")}, StepMode::apply,
                     told.handler());
  });
  ASSERT_TRUE(appears("/begun"));
  Told other;
  std::thread b([&] {
    two = local_session(root_)->run(kOwner, {shell("b", "test -e first && touch second")}, StepMode::apply,
                                    other.handler());
  });
  a.join();
  b.join();
  EXPECT_TRUE(one);
  EXPECT_TRUE(two) << "an idle session keeps nobody out: " << two.error().message();
  EXPECT_NE(other.output.find("waiting for another Sealift"), std::string::npos) << other.output;
}

TEST_F(AgentProcess, AHeldHostIsFreeOnlyWhenTheSessionEnds) {
  Sessions first;
  first["h"] = local_session(root_);
  std::atomic<bool> cancel{false};
  const auto silent = [](const std::string&, const std::string&) {};
  ASSERT_TRUE(hold_all(first, silent, cancel));
  Told told;
  ASSERT_TRUE(first["h"]->run(kOwner, {shell("a", "touch first")}, StepMode::apply, told.handler()));
  Sessions second;
  second["h"] = local_session(root_);
  std::string heard;
  std::thread end_of_first;
  const Status held = hold_all(
      second,
      [&](const std::string& host, const std::string& text) {
        heard = host + ": " + text;
        end_of_first = std::thread([&] { first.clear(); });
      },
      cancel);
  ASSERT_TRUE(end_of_first.joinable()) << "it did not wait";
  end_of_first.join();
  EXPECT_TRUE(held) << held.error().message();
  EXPECT_NE(heard.find("h: waiting for another Sealift"), std::string::npos) << heard;
}

TEST_F(AgentProcess, WaitingForAHeldHostCanBeCancelled) {
  Sessions first;
  first["h"] = local_session(root_);
  std::atomic<bool> cancel{false};
  ASSERT_TRUE(hold_all(
      first, [](const std::string&, const std::string&) {}, cancel));
  Sessions second;
  second["h"] = local_session(root_);
  const Status held = hold_all(
      second, [&](const std::string&, const std::string&) { cancel.store(true); }, cancel);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code(), ErrorCode::interrupted);
}

TEST_F(AgentProcess, CancellingEndsAfterTheStepUnderWay) {
  const auto session = local_session(root_);
  Told told;
  Status status;
  std::thread running([&] {
    status =
        session->run(kOwner, {shell("a", "touch begun; sleep 1; touch finished"), shell("b", "touch never")},
                     StepMode::apply, told.handler());
  });
  ASSERT_TRUE(appears("/begun"));
  session->cancel();
  running.join();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::interrupted);
  EXPECT_TRUE(fs::exists(root_ + "/finished"));
  EXPECT_FALSE(fs::exists(root_ + "/never"));
}

TEST_F(AgentProcess, LanesOfOneHostRunSideBySide) {
  const auto session = local_session(root_);
  Told left;
  Told right;
  Status one;
  Status two;
  // Each waits for the other's file: one after the other they would never end.
  const auto meet = [&](const char* mine, const char* other) {
    return shell(
        mine, fmt::format("touch {0}; for i in $(seq 200); do [ -e {1} ] && exit 0; sleep .05; done; exit 1",
                          mine, other));
  };
  std::thread a([&] { one = session->run(kOwner, {meet("a", "b")}, StepMode::apply, left.handler()); });
  std::thread b([&] { two = session->run(kOwner, {meet("b", "a")}, StepMode::apply, right.handler()); });
  a.join();
  b.join();
  EXPECT_TRUE(one);
  EXPECT_TRUE(two);
}

TEST_F(AgentProcess, NonsenseOnItsInputEndsIt) {
  auto channel = start_channel({"/proc/self/exe", "agent", "--root", root_}, {});
  ASSERT_TRUE(channel);
  ASSERT_TRUE((*channel)->receive(std::chrono::seconds(20)));
  ASSERT_TRUE((*channel)->send("{\"type\":\"format-disk\"}"));
  const auto end = (*channel)->receive(std::chrono::seconds(20));
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->has_value());
  EXPECT_NE((*channel)->diagnosis().find("format-disk"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(AgentProcess, FactsAreThoseOfThisMachine) {
  FactsRequest request;
  request.packages = {"bash", "no-such-package"};
  request.paths = {"/etc", "/no/such/path"};
  request.reach = {{"127.0.0.1", 1}};
  const auto facts = local_session("")->facts(request);
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_FALSE(facts->hostname.empty());
  EXPECT_FALSE(facts->kernel.empty());
  EXPECT_GT(facts->cpus, 0U);
  EXPECT_GT(facts->memory_bytes, 1U << 20);
  EXPECT_EQ(facts->disks.size(), 3U);
  EXPECT_GT(facts->disks[0].total_bytes, 0U);
  EXPECT_TRUE(facts->cgroup_version == 1 || facts->cgroup_version == 2);
  EXPECT_FALSE(facts->addresses.empty());
  EXPECT_TRUE(facts->packages.contains("bash"));
  EXPECT_FALSE(facts->packages.contains("no-such-package"));
  EXPECT_EQ(facts->paths, (std::map<std::string, bool>{{"/etc", true}, {"/no/such/path", false}}));
  ASSERT_EQ(facts->reach.size(), 1U);
  EXPECT_FALSE(facts->reach[0].reachable);
  EXPECT_TRUE(facts->reach[0].refused);
  EXPECT_GT(facts->clock_unix_ns, 1'700'000'000'000'000'000);
}

}  // namespace
}  // namespace sealift::installer
