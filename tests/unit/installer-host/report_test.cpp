#include "installer/apply/report.hpp"

#include <sstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lib/base/json.hpp"

namespace sealift::installer {
namespace {

class ReportTest : public testing::Test {
 protected:
  ReportTest() : directory_(std::move(*TemporaryDirectory::create("sealift-report"))) {
    plan_.phases = {{"runtime", "container runtime"}};
    plan_.tasks = {{.id = "runtime/cp1", .phase = "runtime", .host = "cp1"},
                   {.id = "runtime/w1", .phase = "runtime", .host = "w1"}};
  }
  void play(ReportStyle style) {
    auto report = make_report(plan_, {.style = style, .log_directory = directory_.path() / "logs"});
    ASSERT_TRUE(report) << report.error().message();
    const Task& task = plan_.tasks[0];
    (*report)->task_started(task);
    (*report)->step_event(
        task, {.kind = StepEvent::Kind::started, .step_id = "runtime/cp1/x", .text = "fetch kubelet"});
    (*report)->step_event(
        task, {.kind = StepEvent::Kind::progress, .step_id = "runtime/cp1/x", .done = 5, .total = 10});
    (*report)->step_event(
        task, {.kind = StepEvent::Kind::output, .step_id = "runtime/cp1/x", .text = "a \"line\""});
    StepEvent finished{.kind = StepEvent::Kind::finished, .step_id = "runtime/cp1/x", .text = "fetched"};
    finished.result = StepResult::changed;
    finished.elapsed_ms = 1500;
    finished.output = "SECRET";
    (*report)->step_event(task, finished);
    (*report)->task_finished(plan_.tasks[1], TaskResult::failed, "the disk is full");
  }
  std::string log(const std::string& host) {
    return read_file(directory_.path() / "logs" / (host + ".log"), 1 << 20).value_or("");
  }

  TemporaryDirectory directory_;
  Plan plan_;
};

TEST_F(ReportTest, EveryHostHasALogOfItsOwnThatOthersCannotRead) {
  play(ReportStyle::none);
  EXPECT_NE(log("cp1").find("fetch kubelet"), std::string::npos);
  EXPECT_NE(log("cp1").find("a \"line\""), std::string::npos);
  EXPECT_NE(log("cp1").find("changed after 1.5 s"), std::string::npos) << log("cp1");
  EXPECT_EQ(log("cp1").find("SECRET"), std::string::npos) << "what a step tells later ones is not logged";
  EXPECT_EQ(log("cp1").find("disk"), std::string::npos);
  EXPECT_NE(log("w1").find("failed: the disk is full"), std::string::npos);
  struct stat info {};
  ASSERT_EQ(::stat((directory_.path() / "logs/cp1.log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(ReportTest, LogsOfEarlierRunsStay) {
  play(ReportStyle::none);
  const std::size_t once = log("cp1").size();
  play(ReportStyle::none);
  EXPECT_EQ(log("cp1").size(), once * 2);
}

TEST_F(ReportTest, JsonIsOneObjectALineOnStandardOutput) {
  testing::internal::CaptureStdout();
  play(ReportStyle::json);
  std::istringstream lines(testing::internal::GetCapturedStdout());
  std::string events;
  for (std::string line; std::getline(lines, line);) {
    const auto value = json::parse(line, "event");
    ASSERT_TRUE(value) << line;
    const auto reader = json::Reader::of(*value, "event");
    EXPECT_EQ(*reader->unsigned_integer("version"), 1U);
    events += *reader->string("event") + " ";
    EXPECT_EQ(line.find("SECRET"), std::string::npos);
  }
  EXPECT_EQ(events, "task-started step-started step-progress step-output step-finished task-finished ");
}

TEST_F(ReportTest, PlainLinesTellOnlyWhatHappened) {
  testing::internal::CaptureStderr();
  play(ReportStyle::plain);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("cp1"), std::string::npos);
  EXPECT_NE(text.find("fetched (1.5 s)"), std::string::npos) << text;
  EXPECT_NE(text.find("the disk is full"), std::string::npos);
  EXPECT_EQ(text.find("a \"line\""), std::string::npos) << "that is for the log";
  EXPECT_EQ(text.find("SECRET"), std::string::npos);
}

}  // namespace
}  // namespace sealift::installer
