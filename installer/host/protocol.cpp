#include "installer/host/protocol.hpp"

#include <array>

namespace sealift::installer {

std::string_view to_string(StepResult result) {
  switch (result) {
    case StepResult::unchanged:
      return "unchanged";
    case StepResult::changed:
      return "changed";
    case StepResult::would_change:
      return "would-change";
    case StepResult::failed:
      return "failed";
    case StepResult::skipped:
      return "skipped";
  }
  return "failed";
}

namespace protocol {

namespace {

constexpr std::array kModes = {std::pair{StepMode::check, "check"}, std::pair{StepMode::apply, "apply"},
                               std::pair{StepMode::undo, "undo"}};
constexpr std::array kEvents = {
    std::pair{StepEvent::Kind::started, "started"}, std::pair{StepEvent::Kind::progress, "progress"},
    std::pair{StepEvent::Kind::output, "output"}, std::pair{StepEvent::Kind::finished, "finished"}};
constexpr std::array kResults = {StepResult::unchanged, StepResult::changed, StepResult::would_change,
                                 StepResult::failed, StepResult::skipped};
constexpr std::array kCodes = {
    ErrorCode::invalid_argument, ErrorCode::not_found,      ErrorCode::io,           ErrorCode::no_space,
    ErrorCode::network,          ErrorCode::authentication, ErrorCode::integrity,    ErrorCode::untrusted,
    ErrorCode::unsupported,      ErrorCode::conflict,       ErrorCode::precondition, ErrorCode::interrupted,
    ErrorCode::internal};

template <typename Table, typename Key>
const char* name_in(const Table& table, Key key) {
  for (const auto& [value, name] : table) {
    if (value == key) return name;
  }
  return "";
}

template <typename Table>
auto value_in(const Table& table, std::string_view name, std::string_view what)
    -> Result<std::decay_t<decltype(table[0].first)>> {
  for (const auto& [value, known] : table) {
    if (name == known) return value;
  }
  return fail(ErrorCode::integrity, "unknown {} {:?}", what, name);
}

/// For enums that have a to_string of their own.
template <typename List>
auto value_of(const List& list, std::string_view name, std::string_view what)
    -> Result<std::decay_t<decltype(list[0])>> {
  for (const auto value : list) {
    if (name == to_string(value)) return value;
  }
  return fail(ErrorCode::integrity, "unknown {} {:?}", what, name);
}

Result<RunAsked> parse_run(const json::Reader& reader) {
  RunAsked run;
  TRY_ASSIGN(run.id, reader.unsigned_integer("id"));
  TRY_ASSIGN(const std::string mode, reader.string("mode"));
  TRY_ASSIGN(run.mode, value_in(kModes, mode, "mode"));
  TRY_ASSIGN(const json::Reader owner, reader.object("owner"));
  TRY_ASSIGN(run.owner.cluster_name, owner.string("name"));
  TRY_ASSIGN(run.owner.cluster_id, owner.string("id"));
  const json::Value* steps = reader.raw().if_contains("steps");
  if (steps == nullptr || !steps->is_array())
    return fail(ErrorCode::integrity, "{}: steps is not an array", reader.path());
  if (steps->get_array().size() > kMaxSteps)
    return fail(ErrorCode::integrity, "more than {} steps", kMaxSteps);
  for (const json::Value& value : steps->get_array()) {
    TRY_ASSIGN(Step step, step_from_json(value, fmt::format("steps[{}]", run.steps.size())));
    run.steps.push_back(std::move(step));
  }
  return run;
}

Result<EventTold> parse_event(const json::Reader& reader) {
  EventTold told;
  StepEvent& event = told.event;
  TRY_ASSIGN(told.id, reader.unsigned_integer("id"));
  TRY_ASSIGN(const std::string kind, reader.string("event"));
  TRY_ASSIGN(event.kind, value_in(kEvents, kind, "event"));
  TRY_ASSIGN(event.step_id, reader.string("step"));
  TRY_ASSIGN(event.text, reader.string_or("text", ""));
  TRY_ASSIGN(event.done, reader.unsigned_integer_or("done", 0));
  TRY_ASSIGN(event.total, reader.unsigned_integer_or("total", 0));
  TRY_ASSIGN(event.elapsed_ms, reader.unsigned_integer_or("elapsedMs", 0));
  if (event.kind == StepEvent::Kind::finished) {
    TRY_ASSIGN(const std::string result, reader.string("result"));
    TRY_ASSIGN(event.result, value_of(kResults, result, "result"));
    TRY_ASSIGN(const std::string code, reader.string_or("code", "internal"));
    TRY_ASSIGN(event.error_code, value_of(kCodes, code, "error code"));
    event.has_output = reader.has("output");
    TRY_ASSIGN(event.output, reader.string_or("output", ""));
  }
  return told;
}

json::Object encode_event(const EventTold& told) {
  const StepEvent& event = told.event;
  json::Object object{
      {"type", "event"}, {"id", told.id}, {"event", name_in(kEvents, event.kind)}, {"step", event.step_id}};
  if (!event.text.empty()) object["text"] = event.text;
  if (event.kind == StepEvent::Kind::progress) {
    object["done"] = event.done;
    object["total"] = event.total;
  }
  if (event.kind == StepEvent::Kind::finished) {
    object["result"] = to_string(event.result);
    object["elapsedMs"] = event.elapsed_ms;
    if (event.result == StepResult::failed) object["code"] = to_string(event.error_code);
    if (event.has_output) object["output"] = event.output;
  }
  return object;
}

}  // namespace

std::string encode(const Request& request) {
  json::Object object;
  if (const auto* facts = std::get_if<FactsAsked>(&request)) {
    object = {{"type", "facts"}, {"id", facts->id}, {"request", to_json(facts->request)}};
  } else if (const auto* run = std::get_if<RunAsked>(&request)) {
    json::Array steps;
    for (const Step& step : run->steps) steps.push_back(to_json(step));
    object = {{"type", "run"}, {"id", run->id}, {"mode", name_in(kModes, run->mode)}};
    object["owner"] = json::Object{{"name", run->owner.cluster_name}, {"id", run->owner.cluster_id}};
    object["steps"] = std::move(steps);
  } else if (const auto* hold = std::get_if<HoldAsked>(&request)) {
    object = {{"type", "hold"}, {"id", hold->id}};
  } else {
    object = {{"type", std::holds_alternative<CancelAsked>(request) ? "cancel" : "alive"}};
  }
  return json::serialize(object);
}

/// What programs print may be anything; serialize() makes UTF-8 of it.
std::string encode(const Answer& answer) {
  json::Object object;
  if (const auto* hello = std::get_if<Hello>(&answer)) {
    object = {{"type", "hello"}, {"protocol", hello->protocol}, {"program", hello->program}};
    object["version"] = hello->version;
    object["uid"] = hello->uid;
  } else if (const auto* facts = std::get_if<FactsTold>(&answer)) {
    object = {{"type", "facts"}, {"id", facts->id}, {"facts", to_json(facts->facts)}};
  } else if (const auto* event = std::get_if<EventTold>(&answer)) {
    object = encode_event(*event);
  } else if (const auto* end = std::get_if<EndTold>(&answer)) {
    object = {{"type", "end"}, {"id", end->id}, {"ok", end->ok}};
    if (!end->ok) {
      object["code"] = to_string(end->code);
      object["message"] = end->message;
    }
  }
  return json::serialize(object);
}

Result<Request> parse_request(std::string_view line) {
  TRY_ASSIGN(const json::Value value, json::parse(line, "request"));
  TRY_ASSIGN(const json::Reader reader, json::Reader::of(value, "request"));
  TRY_ASSIGN(const std::string type, reader.string("type"));
  if (type == "cancel") return CancelAsked{};
  if (type == "alive") return Alive{};
  if (type == "run") return parse_run(reader);
  if (type == "hold") {
    HoldAsked asked;
    TRY_ASSIGN(asked.id, reader.unsigned_integer("id"));
    return asked;
  }
  if (type == "facts") {
    FactsAsked asked;
    TRY_ASSIGN(asked.id, reader.unsigned_integer("id"));
    TRY_ASSIGN(const json::Reader request, reader.object("request"));
    TRY_ASSIGN(asked.request, facts_request_from_json(request.raw()));
    return asked;
  }
  return fail(ErrorCode::integrity, "unknown request {:?}", type);
}

Result<Answer> parse_answer(std::string_view line) {
  TRY_ASSIGN(const json::Value value, json::parse(line, "answer"));
  TRY_ASSIGN(const json::Reader reader, json::Reader::of(value, "answer"));
  TRY_ASSIGN(const std::string type, reader.string("type"));
  if (type == "event") return parse_event(reader);
  if (type == "hello") {
    Hello hello;
    TRY_ASSIGN(hello.protocol, reader.unsigned_integer("protocol"));
    TRY_ASSIGN(hello.program, reader.string("program"));
    TRY_ASSIGN(hello.version, reader.string("version"));
    TRY_ASSIGN(hello.uid, reader.unsigned_integer("uid"));
    return hello;
  }
  if (type == "facts") {
    FactsTold told;
    TRY_ASSIGN(told.id, reader.unsigned_integer("id"));
    TRY_ASSIGN(const json::Reader facts, reader.object("facts"));
    TRY_ASSIGN(told.facts, facts_from_json(facts.raw()));
    return told;
  }
  if (type == "end") {
    EndTold end;
    TRY_ASSIGN(end.id, reader.unsigned_integer("id"));
    TRY_ASSIGN(end.ok, reader.boolean_or("ok", false));
    TRY_ASSIGN(const std::string code, reader.string_or("code", "internal"));
    TRY_ASSIGN(end.code, value_of(kCodes, code, "error code"));
    TRY_ASSIGN(end.message, reader.string_or("message", ""));
    return end;
  }
  return fail(ErrorCode::integrity, "unknown answer {:?}", type);
}

Status LineSplitter::feed(std::string_view bytes) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
  }
  buffer_.append(bytes);
  if (buffer_.size() > limit_ && buffer_.rfind('\n') == std::string::npos) {
    return fail(ErrorCode::integrity, "a line is longer than {} bytes", limit_);
  }
  return {};
}

std::optional<std::string> LineSplitter::next() {
  const std::size_t end = buffer_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    return std::nullopt;
  }
  std::string line = buffer_.substr(begin_, end - begin_);
  begin_ = searched_ = end + 1;
  return line;
}

}  // namespace protocol

}  // namespace sealift::installer
