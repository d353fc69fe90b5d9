/// Executes a plan over its hosts: hosts in parallel, waiting only for what Task::after says.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "installer/apply/plan.hpp"
#include "installer/host/session.hpp"
#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

enum class TaskResult { done, failed, skipped, unknown };

/// What happens while a plan runs; apart from how it is shown (report.hpp).
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void task_started(const Task& task) = 0;
  /// `step_event.output` has been emptied when it is secret.
  virtual void step_event(const Task& task, const StepEvent& event) = 0;
  virtual void task_finished(const Task& task, TaskResult result, const std::string& message) = 0;
};

struct StepChange {
  std::string task_id{};
  std::string step_id{};
  std::string host{};
  std::string phase{};
  std::string text{};  ///< what changed, or would change
};

struct Failure {
  std::string host{};
  std::string phase{};
  std::string step_id{};  ///< empty: the task could not even start
  ErrorCode code = ErrorCode::internal;
  std::string message{};
  std::string hint{};
};

struct RunSummary {
  std::vector<StepChange> changes{};  ///< made, or with StepMode::check: would be made
  std::uint64_t unchanged_steps = 0;
  std::vector<std::string> unknown_tasks{};  ///< dry run: their steps are known only during the installation
  std::vector<std::string> skipped_tasks{};
  std::vector<Failure> failures{};
  bool cancelled = false;
  Outputs outputs{};
};

struct RunOptions {
  StepMode mode = StepMode::apply;
  const std::atomic<bool>* cancel = nullptr;  ///< set by a signal: finish the current steps, then stop
};

/// `sessions` by host name; each must outlive the call. Fails only for a bad plan; what went wrong on hosts
/// is in the summary.
Result<RunSummary> run_plan(const Plan& plan, const std::map<std::string, Session*>& sessions,
                            const RunOptions& options, RunObserver& observer);

/// One error for the whole run: names every failed host, step, cause and hint, and how to resume. Success
/// when nothing failed.
Status to_status(const RunSummary& summary);

}  // namespace sealift::installer
