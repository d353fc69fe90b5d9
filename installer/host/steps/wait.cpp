#include <thread>

#include "installer/host/child.hpp"
#include "installer/host/http.hpp"
#include "installer/host/steps/kinds.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr auto kBetweenTries = std::chrono::milliseconds(200);
constexpr auto kOneTry = std::chrono::milliseconds(3000);

class DropSink final : public Sink {
 public:
  Status write(Bytes) override { return {}; }
};

/// Does the condition hold now? If not, the error says what was found instead.
Status holds(const StepContext&, const TcpReachable& condition) {
  return try_connect(condition.address, condition.port, kOneTry);
}

Status holds(const StepContext& context, const HttpAnswers& condition) {
  HttpGet request{.url = condition.url, .ca_pem = condition.ca_pem, .stop = &context.stop};
  request.connect_timeout = kOneTry;
  request.idle_timeout = kOneTry;
  if (!condition.ca_file.empty()) {
    TRY_ASSIGN(request.ca_pem, read_file(context.at(condition.ca_file), 1U << 20));
  }
  if (request.ca_pem.empty()) request.verification = Verification::none;
  DropSink drop;
  TRY_ASSIGN(const HttpAnswer answer, http_get(request, drop));
  if (answer.status == condition.status) return {};
  return fail(ErrorCode::network, "{} answers {}, expected {}", condition.url, answer.status,
              condition.status);
}

Status holds(const StepContext& context, const FileExists& condition) {
  std::error_code ignored;
  if (fs::exists(context.at(condition.path), ignored)) return {};
  return fail(ErrorCode::not_found, "{} does not exist", condition.path);
}

Status holds(const StepContext& context, const CommandSucceeds& condition) {
  TRY_ASSIGN(
      const ChildResult result,
      run_child({.arguments = condition.arguments, .timeout = condition.timeout, .stop = &context.stop}));
  if (result.exit_code != 0) {
    return fail(ErrorCode::io, "{} ended with code {}: {}", condition.arguments[0], result.exit_code,
                last_words(result, 600));
  }
  if (!condition.expect.empty() && result.out.find(condition.expect) == std::string::npos) {
    return fail(ErrorCode::io, "{} did not say {:?} but: {}", condition.arguments[0], condition.expect,
                last_words(result, 600));
  }
  return {};
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const WaitFor& wish) {
  const Status now =
      std::visit([&](const auto& condition) { return holds(context, condition); }, wish.condition);
  if (now) return CheckOutcome{true, "it holds", {}};
  return CheckOutcome{false, describe(wish), {}};
}

Result<ApplyOutcome> apply(const StepContext& context, const WaitFor& wish) {
  const auto end = std::chrono::steady_clock::now() + wish.deadline;
  for (;;) {
    const Status now =
        std::visit([&](const auto& condition) { return holds(context, condition); }, wish.condition);
    if (now) return ApplyOutcome{"it holds", {}, {}};
    if (context.stop.load())
      return fail(ErrorCode::interrupted, "stopped while waiting: {}", now.error().message());
    if (std::chrono::steady_clock::now() >= end)
      return fail(ErrorCode::interrupted, "gave up: {}; last: {}", describe(wish), now.error().message());
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Status undo(const StepContext&, const WaitFor&) { return {}; }

}  // namespace sealift::installer
