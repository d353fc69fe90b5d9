#include "installer/host/child.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

bool appears(const fs::path& path) {
  for (int i = 0; i < 1000 && !fs::exists(path); ++i) ::poll(nullptr, 0, 10);
  return fs::exists(path);
}

/// Starts the program in a process of its own, kills that with -9 when the program has begun, and lets the
/// program go on.
bool outlives_its_parent(Orphan orphan) {
  const auto directory = TemporaryDirectory::create("sealift-child");
  const std::string path = directory->path().string();
  const pid_t pid = ::fork();
  if (pid == 0) {
    Child child;
    child.arguments = {
        "sh", "-c",
        "cd " + path +
            "; touch begun; while [ ! -e go ]; do sleep .02; done; echo x; echo y; touch finished"};
    child.orphan = orphan;
    (void)run_child(child);
    ::_exit(0);
  }
  EXPECT_TRUE(appears(directory->path() / "begun"));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(write_file_atomically(directory->path() / "go", ""));
  for (int i = 0; i < 100 && !fs::exists(directory->path() / "finished"); ++i) ::poll(nullptr, 0, 10);
  return fs::exists(directory->path() / "finished");
}

TEST(Child, DiesWithTheAgentUnlessItMustFinish) {
  EXPECT_FALSE(outlives_its_parent(Orphan::dies));
  EXPECT_TRUE(outlives_its_parent(Orphan::finishes)) << "not even its output may stop it";
}

TEST(Child, GivesItsOutputByLinesWhereverItGoes) {
  for (const Orphan orphan : {Orphan::dies, Orphan::finishes}) {
    std::string lines;
    Child child;
    child.arguments = {"sh", "-c", "echo one; echo two >&2; printf three; exit 4"};
    child.orphan = orphan;
    child.on_line = [&](std::string_view line) { lines += fmt::format("[{}]", line); };
    const auto result = run_child(child);
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(result->exit_code, 4);
    EXPECT_EQ(result->out, "one\nthree");
    EXPECT_EQ(result->err, "two\n");
    for (const char* line : {"[one]", "[two]", "[three]"})
      EXPECT_NE(lines.find(line), std::string::npos) << lines;
  }
}

TEST(Child, DoesNotWaitForADaemonThatKeepsItsOutputOpen) {
  Child child;
  child.arguments = {"sh", "-c", "sleep 30 & echo $!"};
  const auto begin = std::chrono::steady_clock::now();
  const auto result = run_child(child);
  ASSERT_TRUE(result);
  EXPECT_EQ(::kill(std::stoi(result->out), SIGKILL), 0) << "it still runs: " << result->out;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Child, GetsNothingOfOurEnvironment) {
  ::setenv("SEALIFT_TEST_LEAK", "1", 1);
  const auto result = run_child({.arguments = {"env"}, .environment = {{"GIVEN", "2"}}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.find("SEALIFT_TEST_LEAK"), std::string::npos);
  EXPECT_NE(result->out.find("GIVEN=2"), std::string::npos);
}

TEST(Child, IsNamedWhenItIsNotThere) {
  const auto result = run_child({.arguments = {"no-such-program"}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::not_found);
  EXPECT_NE(result.error().message().find("no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace sealift::installer
