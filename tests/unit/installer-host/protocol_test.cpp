#include "installer/host/protocol.hpp"

#include <gtest/gtest.h>

namespace sealift::installer::protocol {
namespace {

TEST(Protocol, RequestsComeBackAsTheyWere) {
  const RunAsked run{
      7, StepMode::apply, {"prod", "id"}, {{"p/h/n", WriteFile{.path = "/etc/ä", .content = "a\nb"}, ""}}};
  FactsAsked facts{8, {}};
  facts.request.reach = {{"10.0.0.1", 6443}};
  facts.request.vrrp_listen_ms = 5000;
  for (const Request& request : {Request(run), Request(facts), Request(CancelAsked{}), Request(Alive{})}) {
    const std::string line = encode(request);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto back = parse_request(line);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode(*back), line);
  }
}

TEST(Protocol, AnswersComeBackAsTheyWere) {
  EventTold finished{3, {}};
  finished.event = {
      .kind = StepEvent::Kind::finished, .step_id = "s", .text = "t", .result = StepResult::failed};
  finished.event.error_code = ErrorCode::no_space;
  finished.event.elapsed_ms = 12;
  finished.event.output = "value";
  finished.event.has_output = true;
  FactsTold facts{4, {}};
  facts.facts.hostname = "cp1";
  facts.facts.clock_unix_ns = 1'700'000'000'123'456'789;
  facts.facts.listeners = {{"tcp", "0.0.0.0", 22, "sshd", 1}};
  facts.facts.paths = {{"/a", true}};
  const EndTold end{5, false, ErrorCode::conflict, "no"};
  for (const Answer& answer :
       {Answer(Hello{1, "sha256:x", "0.1", 0}), Answer(finished), Answer(facts), Answer(end)}) {
    const std::string line = encode(answer);
    const auto back = parse_answer(line);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode(*back), line);
  }
}

TEST(Protocol, ProgramOutputThatIsNotUtf8DoesNotBreakTheLine) {
  const EventTold told{
      1, {.kind = StepEvent::Kind::output, .step_id = "s", .text = "a\xff\xc0\x80\xed\xa0\x80z ü"}};
  const auto back = parse_answer(encode(told));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(std::get<EventTold>(*back).event.text, fmt::format("a{0}{0}{0}{0}{0}{0}z ü", "\xEF\xBF\xBD"));
}

TEST(Protocol, RefusesForeignLines) {
  for (const char* line :
       {"", "{}", "[]", "Welcome to host!", R"({"type":"format"})", R"({"type":"run","id":1})",
        R"({"type":"run","id":1,"mode":"now","owner":{"name":"","id":""},"steps":[]})",
        R"({"type":"run","id":1,"mode":"check","owner":{"name":"","id":""},"steps":[1]})",
        R"({"type":"facts","id":1,"request":{"vrrpListenMs":99999999}})"}) {
    EXPECT_FALSE(parse_request(line)) << line;
  }
}

TEST(LineSplitter, CutsLinesHoweverTheBytesArrive) {
  LineSplitter lines;
  std::vector<std::string> found;
  for (const char c : std::string("one\n\ntwo\nrest")) {
    ASSERT_TRUE(lines.feed(std::string_view(&c, 1)));
    while (auto line = lines.next()) found.push_back(*line);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"one", "", "two"}));
}

TEST(LineSplitter, RefusesALineWithoutEnd) {
  LineSplitter lines(16);
  EXPECT_TRUE(lines.feed("0123456789\n012345"));
  EXPECT_EQ(lines.next(), "0123456789");
  EXPECT_FALSE(lines.feed("01234567890"));
}

}  // namespace
}  // namespace sealift::installer::protocol
