// Steps done for real below another root.
#include "installer/host/execute.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sealift::installer {
namespace {

class ExecuteTest : public testing::Test {
 protected:
  ExecuteTest()
      : directory_(std::move(*TemporaryDirectory::create("sealift-execute"))),
        root_(directory_.path().string()) {
    reopen();
  }
  void reopen() { journal_ = std::move(*Journal::open(root_)); }
  Result<StepOutcome> run(const Step& step, StepMode mode = StepMode::apply) {
    return execute_step(
        step, mode, root_, *journal_, stop_, would_change_, [](std::uint64_t, std::uint64_t) {},
        [this](std::string_view line) { output_ += std::string(line) + "\n"; });
  }
  StepResult result(const Step& step, StepMode mode = StepMode::apply) {
    const auto outcome = run(step, mode);
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message());
    return outcome ? outcome->result : StepResult::failed;
  }
  std::string get(const std::string& path) const {
    return read_file(root_ + path, 1 << 20).value_or("(none)");
  }
  void put(const std::string& path, const std::string& text) {
    ASSERT_TRUE(sealift::create_directories(fs::path(root_ + path).parent_path()));
    ASSERT_TRUE(write_file_atomically(root_ + path, text, 0644));
  }
  /// Looks, applies, applies again, undoes: the life of every step.
  void expect_whole_life(const Step& step) {
    EXPECT_EQ(result(step, StepMode::check), StepResult::would_change);
    EXPECT_EQ(result(step), StepResult::changed);
    EXPECT_EQ(result(step, StepMode::check), StepResult::unchanged);
    reopen();
    EXPECT_EQ(result(step), StepResult::unchanged);
  }

  TemporaryDirectory directory_;
  std::string root_;
  std::unique_ptr<Journal> journal_;
  std::atomic<bool> stop_{false};
  std::set<std::string> would_change_;
  std::string output_;
};

TEST_F(ExecuteTest, WriteFileMakesParentsAndComesBack) {
  const Step step{
      "s", WriteFile{.path = "/etc/containerd/certs.d/x/hosts.toml", .content = "a\n", .mode = 0640}, ""};
  expect_whole_life(step);
  EXPECT_EQ(get("/etc/containerd/certs.d/x/hosts.toml"), "a\n");
  EXPECT_EQ(result(step, StepMode::undo), StepResult::changed);
  EXPECT_FALSE(fs::exists(root_ + "/etc/containerd/certs.d/x/hosts.toml"));
  EXPECT_EQ(result(step, StepMode::undo), StepResult::unchanged);
}

TEST_F(ExecuteTest, CheckingChangesNothingAtAll) {
  const Step step{"s", WriteFile{.path = "/etc/a", .content = "a"}, ""};
  EXPECT_EQ(result(step, StepMode::check), StepResult::would_change);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(ExecuteTest, WriteFileMendsContentAndMode) {
  put("/etc/a", "theirs");
  const Step step{"s", WriteFile{.path = "/etc/a", .content = "ours", .mode = 0600}, ""};
  expect_whole_life(step);
  ASSERT_EQ(::chmod((root_ + "/etc/a").c_str(), 0666), 0);
  EXPECT_EQ(result(step), StepResult::changed);
  put("/etc/a", "somebody was here");
  EXPECT_EQ(result(step), StepResult::changed);
  EXPECT_EQ(get("/etc/a"), "ours");
  EXPECT_EQ(result(step, StepMode::undo), StepResult::changed);
  EXPECT_EQ(get("/etc/a"), "theirs") << "the first original, not what was there in between";
}

TEST_F(ExecuteTest, SecretContentIsNowhereInTheJournal) {
  const Step step{
      "s", WriteFile{.path = "/etc/key", .content = "TOPSECRET", .mode = 0600, .secrecy = Secrecy::secret},
      ""};
  EXPECT_EQ(result(step), StepResult::changed);
  EXPECT_EQ(
      result({"s",
              WriteFile{.path = "/etc/key", .content = "SECOND", .mode = 0600, .secrecy = Secrecy::secret},
              ""}),
      StepResult::changed);
  for (const auto& entry : fs::recursive_directory_iterator(root_ + "/var")) {
    if (!entry.is_regular_file()) continue;
    const std::string text = *read_file(entry.path(), 1 << 20);
    EXPECT_EQ(text.find("TOPSECRET"), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("SECOND"), std::string::npos) << entry.path();
  }
}

TEST_F(ExecuteTest, FileBlockKeepsTheRestOfTheFile) {
  put("/etc/hosts", "127.0.0.1 localhost\n");
  const Step step{"s", FileBlock{.path = "/etc/hosts", .name = "hosts", .content = "10.0.0.1 cp1\n"}, ""};
  expect_whole_life(step);
  EXPECT_EQ(get("/etc/hosts"),
            "127.0.0.1 localhost\n# BEGIN sealift hosts\n10.0.0.1 cp1\n# END sealift hosts\n");
  put("/etc/hosts", get("/etc/hosts") + "10.9.9.9 theirs\n");
  EXPECT_EQ(result({"s", FileBlock{.path = "/etc/hosts", .name = "hosts", .content = "10.0.0.2 cp2"}, ""}),
            StepResult::changed);
  EXPECT_EQ(
      get("/etc/hosts"),
      "127.0.0.1 localhost\n# BEGIN sealift hosts\n10.0.0.2 cp2\n# END sealift hosts\n10.9.9.9 theirs\n");
  EXPECT_EQ(result(step, StepMode::undo), StepResult::changed);
  EXPECT_EQ(get("/etc/hosts"), "127.0.0.1 localhost\n10.9.9.9 theirs\n");
}

TEST_F(ExecuteTest, FileBlockDoesNotGuessAtATornBlock) {
  put("/etc/hosts", "# BEGIN sealift hosts\n10.0.0.1 cp1\n");
  const auto outcome = run({"s", FileBlock{.path = "/etc/hosts", .name = "hosts", .content = "x"}, ""});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ErrorCode::conflict);
}

TEST_F(ExecuteTest, SymlinksDirectoriesAndRemovals) {
  expect_whole_life({"l", Symlink{.path = "/opt/cni/bin", .target = "/usr/lib/cni"}, ""});
  expect_whole_life({"d", MakeDirectory{.path = "/etc/kubernetes/pki", .mode = 0700}, ""});
  put("/etc/nginx/sites-enabled/default", "theirs");
  const Step remove{"r", RemovePath{.path = "/etc/nginx/sites-enabled/default"}, ""};
  expect_whole_life(remove);
  EXPECT_EQ(result(remove, StepMode::undo), StepResult::changed);
  EXPECT_EQ(get("/etc/nginx/sites-enabled/default"), "theirs");
  put("/usr/bin/x", "");
  EXPECT_FALSE(run({"never", RemovePath{.path = "/usr"}, ""}));
  EXPECT_TRUE(fs::exists(root_ + "/usr/bin/x"));
}

TEST_F(ExecuteTest, HostnameAndModulesFileAndSysctl) {
  put("/proc/sys/net/ipv4/ip_forward", "0\n");
  const Step sysctl{"s", Sysctl{.file = "/etc/sysctl.d/95-s.conf", .values = {{"net.ipv4.ip_forward", "1"}}},
                    ""};
  EXPECT_EQ(result(sysctl, StepMode::check), StepResult::would_change);
  EXPECT_EQ(result(sysctl), StepResult::changed);
  EXPECT_TRUE(get("/proc/sys/net/ipv4/ip_forward").starts_with("1"));
  EXPECT_EQ(result(sysctl), StepResult::unchanged);
  EXPECT_EQ(result(sysctl, StepMode::undo), StepResult::changed);
  EXPECT_TRUE(get("/proc/sys/net/ipv4/ip_forward").starts_with("0"));
  const auto missing =
      run({"m", Sysctl{.file = "/etc/sysctl.d/96.conf", .values = {{"net.bridge.x", "1"}}}, ""});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("net.bridge.x"), std::string::npos);
  expect_whole_life({"h", SetHostname{.name = "cp1"}, ""});
  EXPECT_EQ(get("/etc/hostname"), "cp1\n");
}

TEST_F(ExecuteTest, RunIsDoneOnceUntilItsWishChanges) {
  const std::string mark = root_ + "/mark";
  const Step step{"s", installer::Run{.arguments = {"sh", "-c", "echo x >>" + mark}}, ""};
  expect_whole_life(step);
  EXPECT_EQ(get("/mark"), "x\n");
  EXPECT_EQ(result({"s", installer::Run{.arguments = {"sh", "-c", "echo y >>" + mark}}, ""}),
            StepResult::changed);
  EXPECT_EQ(get("/mark"), "x\ny\n");
}

TEST_F(ExecuteTest, AFailedRunIsCleanedUpAndRunAgain) {
  const std::string mark = root_ + "/mark";
  const installer::Run bad{.arguments = {"sh", "-c", "echo try >>" + mark + "; echo why not >&2; exit 3"},
                           .creates = "/mark",
                           .recover = {"sh", "-c", "echo recover >>" + mark}};
  const auto failed = run({"s", bad, ""});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("why not"), std::string::npos);
  reopen();
  installer::Run good = bad;
  good.arguments = {"sh", "-c", "echo good >>" + mark};
  // The file it creates is there, but the attempt that made it did not finish.
  EXPECT_EQ(result({"s", good, ""}), StepResult::changed);
  EXPECT_EQ(get("/mark"), "try\nrecover\ngood\n");
  EXPECT_EQ(result({"s", good, ""}), StepResult::unchanged);
}

TEST_F(ExecuteTest, MarksWhatHasSucceededByItself) {
  const Step bad{"s", installer::Run{.arguments = {"false"}, .creates = "/member", .mark = "id\n"}, ""};
  ASSERT_FALSE(run(bad));
  EXPECT_FALSE(fs::exists(root_ + "/member"));
  const Step good{"s", installer::Run{.arguments = {"true"}, .creates = "/member", .mark = "id\n"}, ""};
  EXPECT_EQ(result(good), StepResult::changed);
  EXPECT_EQ(get("/member"), "id\n");
  EXPECT_EQ(fs::status(root_ + "/member").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(result(good), StepResult::unchanged);
}

TEST_F(ExecuteTest, RunIsRepeatedWhereItMayBeTooEarly) {
  const std::string file = root_ + "/second";
  const installer::Run early{
      .arguments = {"sh", "-c", "test -e " + file + " || { touch " + file + "; exit 1; }"},
      .retry_for = std::chrono::seconds(60)};
  EXPECT_EQ(result({"s", early, ""}), StepResult::changed);
  const installer::Run never{.arguments = {"false"}, .retry_for = std::chrono::seconds(1)};
  EXPECT_FALSE(run({"n", never, ""}));
}

TEST_F(ExecuteTest, RunTrustsItsCheckProgram) {
  const installer::Run run_it{.arguments = {"sh", "-c", "touch " + root_ + "/done"},
                              .check = {"test", "-e", root_ + "/done"}};
  expect_whole_life({"s", run_it, ""});
  fs::remove(root_ + "/done");
  EXPECT_EQ(result({"s", run_it, ""}), StepResult::changed);
}

TEST_F(ExecuteTest, RunAgainWhenWhatItWatchesChanged) {
  const std::string mark = root_ + "/mark";
  const auto file = [](const char* text) {
    return Step{"f", WriteFile{.path = "/etc/f", .content = text}, ""};
  };
  const Step watcher{"w", installer::Run{.arguments = {"sh", "-c", "echo x >>" + mark}, .restart_on = {"f"}},
                     ""};
  EXPECT_EQ(result(file("1")), StepResult::changed);
  EXPECT_EQ(result(watcher), StepResult::changed);
  EXPECT_EQ(result(watcher), StepResult::unchanged);
  EXPECT_EQ(result(file("2"), StepMode::check), StepResult::would_change);
  EXPECT_EQ(result(watcher, StepMode::check), StepResult::would_change) << "a plan sees it coming";
  would_change_.clear();
  EXPECT_EQ(result(file("2")), StepResult::changed);
  reopen();  // the run was interrupted between the two
  EXPECT_EQ(result(watcher), StepResult::changed);
  EXPECT_EQ(get("/mark"), "x\nx\n");
}

TEST_F(ExecuteTest, TextsToRedactAreInNoOutput) {
  const installer::Run leaking{
      .arguments = {"sh", "-c", "echo token abcdef.1; echo again abcdef.1 >&2; exit 1"},
      .redact = {"abcdef.1"}};
  const auto failed = run({"s", leaking, ""});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message().find("abcdef.1"), std::string::npos) << failed.error().message();
  EXPECT_EQ(output_.find("abcdef.1"), std::string::npos) << output_;
  EXPECT_NE(output_.find("token ***"), std::string::npos) << output_;
}

TEST_F(ExecuteTest, InputReachesTheProgramAndTimeoutsEndIt) {
  EXPECT_EQ(result({"s",
                    installer::Run{.arguments = {"sh", "-c", "cat >" + root_ + "/in"},
                                   .input = std::string(200000, 'x')},
                    ""}),
            StepResult::changed);
  EXPECT_EQ(get("/in").size(), 200000U);
  const auto slow =
      run({"t", installer::Run{.arguments = {"sleep", "60"}, .timeout = std::chrono::seconds(1)}, ""});
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code(), ErrorCode::interrupted);
}

TEST_F(ExecuteTest, CaptureAndReadFileTellTheirText) {
  put("/etc/ca.crt", "PEM");
  const auto captured = run({"c", Capture{.arguments = {"echo", "hello"}}, ""}, StepMode::check);
  ASSERT_TRUE(captured);
  EXPECT_EQ(captured->output, "hello");
  EXPECT_EQ(run({"r", ReadFile{.path = "/etc/ca.crt"}, ""})->output, "PEM");
  EXPECT_FALSE(run({"r", ReadFile{.path = "/etc/none"}, ""}));
  EXPECT_FALSE(run({"r", ReadFile{.path = "/etc/none"}, ""}, StepMode::check)->output);
  EXPECT_TRUE(journal_->step_ids().empty());
}

TEST_F(ExecuteTest, WaitingEndsWhenItHoldsOrWhenToldTo) {
  put("/etc/there", "");
  EXPECT_EQ(result({"w", WaitFor{.condition = FileExists{.path = "/etc/there"}}, ""}), StepResult::unchanged);
  const auto never = run(
      {"n", WaitFor{.condition = FileExists{.path = "/etc/never"}, .deadline = std::chrono::seconds(0)}, ""});
  ASSERT_FALSE(never);
  EXPECT_NE(never.error().message().find("/etc/never"), std::string::npos);
  stop_ = true;
  const auto stopped = run(
      {"n", WaitFor{.condition = FileExists{.path = "/etc/never"}, .deadline = std::chrono::hours(1)}, ""});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::interrupted);
}

}  // namespace
}  // namespace sealift::installer
