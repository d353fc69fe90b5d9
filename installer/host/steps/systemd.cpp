// systemd units, through systemctl: its own way to talk to pid 1 is the only one that every version keeps.
#include <sstream>
#include <thread>

#include "installer/host/child.hpp"
#include "installer/host/steps/kinds.hpp"

namespace sealift::installer {

namespace {

constexpr auto kPoll = std::chrono::milliseconds(100);

struct UnitState {
  std::string load;    ///< loaded, not-found, masked, ...
  std::string active;  ///< active, inactive, failed, activating, ...
  std::string sub;
  std::string file;  ///< enabled, disabled, static, masked, ...
  std::string type;  ///< simple, oneshot, ...
  bool needs_reload = false;

  bool is_active() const { return active == "active"; }
  /// Nothing is left for `systemctl enable` to do.
  bool is_enabled() const {
    return file == "enabled" || file == "enabled-runtime" || file == "static" || file == "alias" ||
           file == "generated";
  }
};

Result<ChildResult> systemctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "systemctl");
  return run_child({.arguments = std::move(arguments), .timeout = std::chrono::minutes(3)});
}

Status systemctl_checked(const std::vector<std::string>& arguments) {
  TRY_ASSIGN(const ChildResult result, systemctl(arguments));
  if (result.exit_code == 0) return {};
  return fail(ErrorCode::io, "systemctl {} {} failed: {}", arguments.front(), arguments.back(),
              last_words(result));
}

Result<UnitState> state_of(const std::string& unit) {
  TRY_ASSIGN(
      const ChildResult result,
      systemctl({"show", "--property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Type",
                 "--", unit}));
  if (result.exit_code != 0)
    return fail(ErrorCode::io, "systemctl show {} failed: {}", unit, last_words(result));
  UnitState state;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = line.substr(0, equals);
    const std::string value = line.substr(equals + 1);
    if (name == "LoadState") state.load = value;
    if (name == "ActiveState") state.active = value;
    if (name == "SubState") state.sub = value;
    if (name == "UnitFileState") state.file = value;
    if (name == "Type") state.type = value;
    if (name == "NeedDaemonReload") state.needs_reload = value == "yes";
  }
  return state;
}

/// The unit's last words in the journal, for an error message.
std::string log_of(const std::string& unit) {
  const auto log =
      run_child({.arguments = {"journalctl", "--no-pager", "-q", "-n", "12", "-o", "cat", "-u", unit}});
  return log && log->exit_code == 0 && !log->out.empty() ? "; its log ends with: " + last_words(*log) : "";
}

Status wait_until_active(const StepContext& context, const SystemdUnit& wish) {
  const auto end = std::chrono::steady_clock::now() + wish.deadline;
  // A unit that fails is given its restarts (Restart=always goes through "activating").
  for (;;) {
    TRY_ASSIGN(const UnitState state, state_of(wish.unit));
    if (state.is_active()) return {};
    if (state.active == "failed" || std::chrono::steady_clock::now() >= end) {
      return fail(ErrorCode::io, "{} is {} ({}), expected active within {} s{}", wish.unit, state.active,
                  state.sub, wish.deadline.count(), log_of(wish.unit));
    }
    if (context.stop.load()) return fail(ErrorCode::interrupted, "stopped while {} was starting", wish.unit);
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const SystemdUnit& wish) {
  TRY_ASSIGN(const UnitState state, state_of(wish.unit));
  const auto differs = [](std::string text) { return CheckOutcome{false, std::move(text), {}}; };
  if (wish.enabled == Wanted::yes && !state.is_enabled()) return differs(fmt::format("enable {}", wish.unit));
  if (wish.enabled == Wanted::no && state.is_enabled() && state.file != "static") {
    return differs(fmt::format("disable {}", wish.unit));
  }
  if (wish.active == Wanted::yes && !state.is_active()) {
    return differs(
        fmt::format("start {} (is {})", wish.unit, state.active.empty() ? "unknown" : state.active));
  }
  if (wish.active == Wanted::no && state.active != "inactive" && state.active != "failed") {
    return differs(fmt::format("stop {}", wish.unit));
  }
  const bool running = wish.active == Wanted::yes || (wish.active == Wanted::leave && state.is_active());
  if (running && context.changed_since_done(wish.restart_on)) {
    return differs(fmt::format("restart {}", wish.unit));
  }
  if (wish.active == Wanted::yes && context.changed_since_done(wish.reload_on)) {
    return differs(fmt::format("reload {}", wish.unit));
  }
  return CheckOutcome{true, fmt::format("{} is {}", wish.unit, state.active), {}};
}

Result<ApplyOutcome> apply(const StepContext& context, const SystemdUnit& wish) {
  TRY_ASSIGN(UnitState state, state_of(wish.unit));
  // A unit file that is new to systemd is not always reported as such.
  const bool changed = context.changed_since_done(wish.restart_on);
  if (state.needs_reload || state.load != "loaded" || changed) {
    TRY(systemctl_checked({"daemon-reload"}));
    TRY_ASSIGN(state, state_of(wish.unit));
  }
  json::Object detail{{"wasEnabled", state.is_enabled()}, {"wasActive", state.is_active()}};
  // The first time counts: that is what undo goes back to.
  if (const auto record = context.journal.find(context.step_id);
      record && record->detail.contains("wasActive")) {
    detail = record->detail;
  }
  if (state.load == "not-found" && (wish.enabled == Wanted::yes || wish.active == Wanted::yes)) {
    return fail(ErrorCode::precondition, "this host has no unit {}", wish.unit);
  }
  if (wish.enabled == Wanted::yes && !state.is_enabled())
    TRY(systemctl_checked({"enable", "--quiet", "--", wish.unit}));
  if (wish.enabled == Wanted::no && state.is_enabled())
    TRY(systemctl_checked({"disable", "--quiet", "--", wish.unit}));
  if (wish.active == Wanted::no) {
    TRY(systemctl_checked({"stop", "--", wish.unit}));
    return ApplyOutcome{fmt::format("stop {}", wish.unit), std::move(detail), {}};
  }
  if (wish.active == Wanted::leave && !(state.is_active() && changed))
    return ApplyOutcome{{}, std::move(detail), {}};
  const bool restart = state.is_active() && changed;
  const bool reload = state.is_active() && !restart && context.changed_since_done(wish.reload_on);
  const char* const verb = restart ? "restart" : "start";
  if (reload) {
    // systemctl waits, and tells when the unit's own check refused the new settings.
    TRY(systemctl_checked({"reload", "--", wish.unit}));
    return ApplyOutcome{fmt::format("reload {}", wish.unit), std::move(detail), {}};
  }
  if (!state.is_active()) (void)systemctl({"reset-failed", "--", wish.unit});
  const std::vector<std::string> order = {verb, "--no-block", "--", wish.unit};
  TRY(systemctl_checked(order));
  // The job is queued: a restart leaves the old process "active" for a moment, so wait for the job itself.
  const auto end = std::chrono::steady_clock::now() + wish.deadline;
  for (;;) {
    TRY_ASSIGN(const ChildResult jobs, systemctl({"show", "--property=Job", "--value", "--", wish.unit}));
    const std::string job = jobs.out.substr(0, jobs.out.find('\n'));
    if (job.empty() || job == "0" || std::chrono::steady_clock::now() >= end) break;
    if (context.stop.load()) return fail(ErrorCode::interrupted, "stopped while {} was starting", wish.unit);
    std::this_thread::sleep_for(kPoll);
  }
  TRY(wait_until_active(context, wish));
  return ApplyOutcome{fmt::format("{} {}", verb, wish.unit), std::move(detail), {}};
}

Status undo(const StepContext& context, const SystemdUnit& wish) {
  const auto record = context.journal.find(context.step_id);
  if (!record) return {};
  const auto was = [&](const char* name) {
    const json::Value* value = record->detail.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
  };
  TRY_ASSIGN(const UnitState state, state_of(wish.unit));
  if (state.load == "not-found") return {};
  if (wish.active != Wanted::leave && was("wasActive") != state.is_active()) {
    TRY(systemctl_checked({was("wasActive") ? "start" : "stop", "--", wish.unit}));
  }
  if (wish.enabled != Wanted::leave && state.file != "static" && was("wasEnabled") != state.is_enabled()) {
    TRY(systemctl_checked({was("wasEnabled") ? "enable" : "disable", "--quiet", "--", wish.unit}));
  }
  return {};
}

}  // namespace sealift::installer
