#include "installer/host/execute.hpp"

#include "installer/host/steps/kinds.hpp"

namespace sealift::installer {

namespace {

/// Steps that only look or wait leave no trace in the journal.
bool is_observation(const Action& action) {
  return std::holds_alternative<Capture>(action) || std::holds_alternative<ReadFile>(action) ||
         std::holds_alternative<WaitFor>(action);
}

Result<CheckOutcome> check_action(const StepContext& context, const Action& action) {
  return std::visit([&](const auto& wish) { return check(context, wish); }, action);
}

Result<StepOutcome> only_check(const StepContext& context, const Step& step,
                               std::set<std::string>& would_change) {
  // A wait has nothing to say before the installation has begun.
  if (std::holds_alternative<WaitFor>(step.action)) return StepOutcome{};
  TRY_ASSIGN(CheckOutcome outcome, check_action(context, step.action));
  StepOutcome result{.text = outcome.text, .output = std::move(outcome.output)};
  if (outcome.satisfied || is_observation(step.action)) return result;
  would_change.insert(step.id);
  result.result = StepResult::would_change;
  return result;
}

Result<StepOutcome> check_and_apply(const StepContext& context, const Step& step) {
  TRY_ASSIGN(CheckOutcome outcome, check_action(context, step.action));
  if (is_observation(step.action)) {
    if (outcome.satisfied) return StepOutcome{.text = outcome.text, .output = std::move(outcome.output)};
    TRY_ASSIGN(ApplyOutcome waited,
               std::visit([&](const auto& wish) { return apply(context, wish); }, step.action));
    return StepOutcome{.text = waited.text, .output = std::move(waited.output)};
  }
  const std::string_view kind = kind_of(step.action);
  const std::string print = fingerprint(step.action).hex();
  const std::optional<StepRecord> record = context.journal.find(step.id);
  const bool interrupted = record && record->event == StepRecord::Event::begun;
  if (outcome.satisfied) {
    // The change was made but the crash came before its record: others must still hear of it (restart_on).
    if (interrupted) TRY(context.journal.done(step.id, kind, print, record->detail));
    return StepOutcome{.text = outcome.text, .output = std::move(outcome.output)};
  }
  TRY(context.journal.begin(step.id, kind, print));
  auto applied = std::visit([&](const auto& wish) { return apply(context, wish); }, step.action);
  if (!applied) {
    // A full disk must not hide the first error behind the journal's own.
    (void)context.journal.failed(step.id, kind, print);
    return tl::unexpected(std::move(applied).error());
  }
  TRY(context.journal.done(step.id, kind, print, std::move(applied->detail)));
  return StepOutcome{StepResult::changed, applied->text.empty() ? outcome.text : applied->text,
                     std::move(applied->output)};
}

Result<StepOutcome> undo_step(const StepContext& context, const Step& step) {
  const std::optional<StepRecord> record = context.journal.find(step.id);
  if (is_observation(step.action) || !record || record->event == StepRecord::Event::undone)
    return StepOutcome{};
  TRY(std::visit([&](const auto& wish) { return undo(context, wish); }, step.action));
  TRY(context.journal.undone(step.id, kind_of(step.action)));
  return StepOutcome{StepResult::changed, "undone", std::nullopt};
}

}  // namespace

bool StepContext::changed_since_done(const std::vector<std::string>& steps) const {
  if (steps.empty()) return false;
  for (const std::string& id : steps) {
    if (would_change.contains(id)) return true;
  }
  const std::optional<StepRecord> record = journal.find(step_id);
  return journal.last_change(steps) > (record ? record->done_sequence : 0);
}

Result<StepOutcome> execute_step(const Step& step, StepMode mode, const std::string& root, Journal& journal,
                                 const std::atomic<bool>& stop, std::set<std::string>& would_change,
                                 std::function<void(std::uint64_t, std::uint64_t)> progress,
                                 std::function<void(std::string_view)> output) {
  const StepContext context{
      root, journal, step.id, mode, stop, would_change, std::move(progress), std::move(output)};
  switch (mode) {
    case StepMode::check:
      return only_check(context, step, would_change);
    case StepMode::apply:
      return check_and_apply(context, step);
    case StepMode::undo:
      return undo_step(context, step);
  }
  return fail(ErrorCode::internal, "unknown mode");
}

}  // namespace sealift::installer
