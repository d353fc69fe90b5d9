#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/ranges.h>
#include <unistd.h>

#include "installer/host/child.hpp"
#include "installer/host/steps/kinds.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxOutput = 1U << 20;
constexpr auto kBetweenRuns = std::chrono::seconds(3);

std::string redacted(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

/// As run_child; what the program had said until its time was over is in the error, but no secret of the
/// wish.
Result<ChildResult> run_discreetly(const Run& wish, const Child& child) {
  auto result = run_child(child);
  if (result) return result;
  if (wish.output_secrecy == Secrecy::secret)
    return fail(result.error().code(), "{} did not end by itself (its output is secret)", wish.arguments[0]);
  return fail(result.error().code(), "{}", redacted(result.error().message(), wish.redact));
}

bool interrupted(const std::optional<StepRecord>& record) {
  return record && (record->event == StepRecord::Event::begun || record->event == StepRecord::Event::failed);
}

bool is_success(const Run& wish, const ChildResult& result) {
  return std::find(wish.success_codes.begin(), wish.success_codes.end(), result.exit_code) !=
         wish.success_codes.end();
}

std::string cut_final_newline(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const Run& wish) {
  const std::optional<StepRecord> record = context.journal.find(context.step_id);
  CheckOutcome outcome;
  outcome.text = redacted(describe(wish), wish.redact);
  if (!wish.check.empty()) {
    const auto checked = run_child(
        {.arguments = wish.check, .environment = wish.environment, .timeout = std::chrono::minutes(1)});
    outcome.satisfied =
        checked && checked->exit_code == 0 && checked->out.find(wish.check_expect) != std::string::npos;
  } else if (!wish.creates.empty()) {
    std::error_code ignored;
    outcome.satisfied = fs::exists(context.at(wish.creates), ignored) && !interrupted(record);
  } else {
    outcome.satisfied =
        record && record->event == StepRecord::Event::done && record->fingerprint == fingerprint(wish).hex();
  }
  if (outcome.satisfied && context.changed_since_done(wish.restart_on)) outcome.satisfied = false;
  if (outcome.satisfied) outcome.text = fmt::format("{} was done before", wish.arguments[0]);
  return outcome;
}

Result<ApplyOutcome> apply(const StepContext& context, const Run& wish) {
  const std::optional<StepRecord> record = context.journal.find(context.step_id);
  const auto show = [&](std::string_view line) {
    if (wish.output_secrecy == Secrecy::open) context.output(redacted(std::string(line), wish.redact));
  };
  // This very attempt is already in the journal.
  const bool again = record && record->attempts > 1;
  if (again && !wish.recover.empty()) {
    context.output("an earlier attempt did not finish; cleaning up after it");
    TRY_ASSIGN(const ChildResult recovered, run_discreetly(wish, {.arguments = wish.recover,
                                                                  .environment = wish.environment,
                                                                  .timeout = wish.timeout,
                                                                  .on_line = show}));
    if (recovered.exit_code != 0) {
      return fail(ErrorCode::io,
                  "cleaning up after the interrupted attempt failed: {} ended with code {}: {}",
                  wish.recover[0], recovered.exit_code, redacted(last_words(recovered), wish.redact));
    }
  }
  const auto end = std::chrono::steady_clock::now() + wish.retry_for;
  ChildResult result;
  for (;;) {
    TRY_ASSIGN(result, run_discreetly(wish, {.arguments = wish.arguments,
                                             .environment = wish.environment,
                                             .input = wish.input,
                                             .timeout = wish.timeout,
                                             .on_line = show}));
    if (is_success(wish, result) || std::chrono::steady_clock::now() >= end || context.stop.load()) break;
    context.output("it failed; again in a moment");
    std::this_thread::sleep_for(kBetweenRuns);
  }
  if (!is_success(wish, result)) {
    return fail(ErrorCode::io, "{} ended with code {}{}", wish.arguments[0], result.exit_code,
                wish.output_secrecy == Secrecy::secret ? " (its output is secret)"
                                                       : ": " + redacted(last_words(result), wish.redact));
  }
  // Even when the installer is gone by now: what has succeeded must not be done again.
  // The mark reaches the disk at once; what it vouches for was written without fsync and has to be there
  // first.
  if (!wish.mark.empty()) {
    ::sync();
    TRY(write_file_atomically(context.at(wish.creates), wish.mark, 0600));
  }
  return ApplyOutcome{redacted(describe(wish), wish.redact), {}, {}};
}

/// What a program did only another program can undo: phases give that as a step of its own.
Status undo(const StepContext&, const Run&) { return {}; }

Result<CheckOutcome> check(const StepContext& context, const Capture& wish) {
  auto result = run_child({.arguments = wish.arguments, .timeout = wish.timeout, .stop = &context.stop});
  if (result && result->exit_code == 0) {
    return CheckOutcome{true, "asked", cut_final_newline(std::move(result->out))};
  }
  if (context.mode == StepMode::check) return CheckOutcome{false, "not known before the installation", {}};
  if (!result) return tl::unexpected(std::move(result).error());
  return fail(ErrorCode::io, "{} ended with code {}{}", wish.arguments[0], result->exit_code,
              wish.secrecy == Secrecy::secret ? " (its output is secret)" : ": " + last_words(*result));
}
Result<ApplyOutcome> apply(const StepContext&, const Capture&) { return ApplyOutcome{}; }
Status undo(const StepContext&, const Capture&) { return {}; }

Result<CheckOutcome> check(const StepContext& context, const ReadFile& wish) {
  auto text = read_file(context.at(wish.path), kMaxOutput);
  if (text) return CheckOutcome{true, fmt::format("read {}", wish.path), std::move(*text)};
  if (context.mode == StepMode::check)
    return CheckOutcome{false, fmt::format("{} does not exist yet", wish.path), {}};
  return tl::unexpected(std::move(text).error());
}
Result<ApplyOutcome> apply(const StepContext&, const ReadFile&) { return ApplyOutcome{}; }
Status undo(const StepContext&, const ReadFile&) { return {}; }

}  // namespace sealift::installer
