#include "installer/apply/runner.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "installer/apply/order.hpp"

namespace sealift::installer {

namespace {

bool is_secret(const Step& step) {
  if (const auto* capture = std::get_if<Capture>(&step.action)) return capture->secrecy == Secrecy::secret;
  if (const auto* file = std::get_if<ReadFile>(&step.action)) return file->secrecy == Secrecy::secret;
  return false;
}

class Runner {
 public:
  Runner(const Plan& plan, const std::map<std::string, Session*>& sessions, const RunOptions& options,
         RunObserver& observer, std::vector<std::vector<std::size_t>> dependencies)
      : plan_(plan),
        sessions_(sessions),
        options_(options),
        observer_(observer),
        dependencies_(std::move(dependencies)),
        states_(plan.tasks.size(), State::waiting) {}

  RunSummary run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!cancelled_ && options_.cancel != nullptr && options_.cancel->load()) cancel_all();
      while (start_or_skip_one()) {
      }
      const bool busy = std::any_of(states_.begin(), states_.end(), [](State state) {
        return state == State::waiting || state == State::running;
      });
      if (!busy) break;
      changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
    lock.unlock();
    for (std::thread& thread : threads_) thread.join();
    summary_.cancelled = cancelled_;
    summary_.outputs = std::move(outputs_);
    return std::move(summary_);
  }

 private:
  enum class State { waiting, running, done, failed, skipped };

  std::size_t phase_index(const std::string& name) const {
    const auto found = std::find_if(plan_.phases.begin(), plan_.phases.end(),
                                    [&](const Phase& phase) { return phase.name == name; });
    return static_cast<std::size_t>(found - plan_.phases.begin());
  }

  void cancel_all() {
    cancelled_ = true;
    for (const auto& [host, session] : sessions_) session->cancel();
  }

  /// Must this task never start? Something it waits for failed, a phase before its own failed, or the person
  /// wants to stop.
  bool is_lost(std::size_t index) const {
    if (cancelled_) return true;
    if (options_.mode == StepMode::apply && phase_index(plan_.tasks[index].phase) > failed_phase_)
      return true;
    return std::any_of(dependencies_[index].begin(), dependencies_[index].end(), [&](std::size_t other) {
      return states_[other] == State::failed || states_[other] == State::skipped;
    });
  }

  bool start_or_skip_one() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (states_[i] != State::waiting) continue;
      const Task& task = plan_.tasks[i];
      if (is_lost(i)) {
        states_[i] = State::skipped;
        summary_.skipped_tasks.push_back(task.id);
        observer_.task_finished(task, TaskResult::skipped, cancelled_ ? "stopped" : "an earlier step failed");
        return true;
      }
      const auto is_done = [&](std::size_t other) { return states_[other] == State::done; };
      if (!std::all_of(dependencies_[i].begin(), dependencies_[i].end(), is_done)) continue;
      states_[i] = State::running;
      observer_.task_started(task);
      threads_.emplace_back([this, i] { run_task(i); });
      return true;
    }
    return false;
  }

  void run_task(std::size_t index) {
    const Task& task = plan_.tasks[index];
    bool unknown = false;
    std::string failed_step;
    std::string hint;
    const Status status = run_steps(task, unknown, failed_step, hint);
    const std::lock_guard lock(mutex_);
    if (status) {
      states_[index] = State::done;
      if (unknown) summary_.unknown_tasks.push_back(task.id);
      observer_.task_finished(task, unknown ? TaskResult::unknown : TaskResult::done,
                              unknown ? task.make_steps_title : "");
    } else {
      const bool stopped = cancelled_ && status.error().code() == ErrorCode::interrupted;
      states_[index] = stopped ? State::skipped : State::failed;
      if (stopped) {
        summary_.skipped_tasks.push_back(task.id);
      } else {
        failed_phase_ = std::min(failed_phase_, phase_index(task.phase));
        summary_.failures.push_back(
            {task.host, task.phase, failed_step, status.error().code(), status.error().message(), hint});
      }
      observer_.task_finished(task, stopped ? TaskResult::skipped : TaskResult::failed,
                              status.error().message());
    }
    changed_.notify_all();
  }

  Status run_steps(const Task& task, bool& unknown, std::string& failed_step, std::string& hint) {
    const auto session = sessions_.find(task.host);
    if (session == sessions_.end())
      return fail(ErrorCode::internal, "no session with the host {}", task.host);
    std::vector<Step> steps = task.steps;
    if (task.make_steps) {
      Outputs known;
      {
        const std::lock_guard lock(mutex_);
        known = outputs_;
      }
      auto made = task.make_steps(known);
      if (made) {
        steps.insert(steps.end(), std::make_move_iterator(made->begin()),
                     std::make_move_iterator(made->end()));
      } else if (options_.mode == StepMode::check && made.error().code() == ErrorCode::precondition) {
        unknown = true;
      } else {
        return tl::unexpected(std::move(made).error());
      }
    }
    if (steps.empty()) return {};
    const auto handler = [&](const StepEvent& event) { take_event(task, steps, event, failed_step, hint); };
    const Owner owner{plan_.cluster_name, plan_.cluster_id};
    return session->second->run(owner, steps, options_.mode, handler);
  }

  void take_event(const Task& task, const std::vector<Step>& steps, const StepEvent& event,
                  std::string& failed_step, std::string& hint) {
    const auto step =
        std::find_if(steps.begin(), steps.end(), [&](const Step& item) { return item.id == event.step_id; });
    const std::lock_guard lock(mutex_);
    if (event.kind == StepEvent::Kind::finished) {
      if (event.has_output) outputs_.set(event.step_id, event.output);
      if (event.result == StepResult::changed || event.result == StepResult::would_change) {
        summary_.changes.push_back({task.id, event.step_id, task.host, task.phase, event.text});
      } else if (event.result == StepResult::unchanged) {
        ++summary_.unchanged_steps;
      } else if (event.result == StepResult::failed) {
        failed_step = event.step_id;
        if (step != steps.end()) hint = step->hint;
      }
    }
    StepEvent shown = event;
    if (step == steps.end() || is_secret(*step)) shown.output.clear();
    observer_.step_event(task, shown);
  }

  const Plan& plan_;
  const std::map<std::string, Session*>& sessions_;
  const RunOptions& options_;
  RunObserver& observer_;
  const std::vector<std::vector<std::size_t>> dependencies_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  std::size_t failed_phase_ = SIZE_MAX;
  bool cancelled_ = false;
  Outputs outputs_;
  RunSummary summary_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<RunSummary> run_plan(const Plan& plan, const std::map<std::string, Session*>& sessions,
                            const RunOptions& options, RunObserver& observer) {
  std::vector<std::string> hosts;
  for (const auto& [host, session] : sessions) hosts.push_back(host);
  TRY(check_plan(plan, hosts));
  TRY_ASSIGN(auto dependencies, task_dependencies(plan));
  return Runner(plan, sessions, options, observer, std::move(dependencies)).run();
}

Status to_status(const RunSummary& summary) {
  if (!summary.failures.empty()) {
    std::string text;
    for (const Failure& failure : summary.failures) {
      text += fmt::format("{}{}: {}{}{}", text.empty() ? "" : "\n", failure.host,
                          failure.step_id.empty() ? failure.phase : failure.step_id, ": " + failure.message,
                          failure.hint.empty() ? "" : "\n  what to do: " + failure.hint);
    }
    text += "\nWhen the cause is removed, run the same command again: it goes on where it stopped.";
    return fail(summary.failures.front().code, "{}", text);
  }
  if (summary.cancelled) {
    return fail(ErrorCode::interrupted,
                "stopped on request; run the same command again to go on where it stopped");
  }
  return {};
}

}  // namespace sealift::installer
