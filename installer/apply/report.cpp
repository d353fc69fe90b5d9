#include "installer/apply/report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/clock.hpp"
#include "lib/base/progress.hpp"

namespace sealift::installer {

namespace {

std::string_view to_string(TaskResult result) {
  switch (result) {
    case TaskResult::done:
      return "done";
    case TaskResult::failed:
      return "failed";
    case TaskResult::skipped:
      return "skipped";
    case TaskResult::unknown:
      return "unknown";
  }
  return "failed";
}

/// One line of one host's log.
std::string log_line(const Task& task, const StepEvent& event) {
  switch (event.kind) {
    case StepEvent::Kind::started:
      return fmt::format("{} begins: {}", event.step_id, event.text);
    case StepEvent::Kind::output:
      return fmt::format("{} | {}", event.step_id, event.text);
    case StepEvent::Kind::finished:
      return fmt::format("{} {} after {:.1f} s: {}", event.step_id, installer::to_string(event.result),
                         static_cast<double>(event.elapsed_ms) / 1000.0, event.text);
    case StepEvent::Kind::progress:
      break;
  }
  return task.id;
}

/// <host>.log, appended: what happened on a host, in the host's own order.
class HostLogs {
 public:
  Status open(const Plan& plan, const fs::path& directory) {
    if (directory.empty()) return {};
    TRY(create_directories(directory, 0700));
    for (const Task& task : plan.tasks) {
      if (files_.contains(task.host)) continue;
      TRY_ASSIGN(files_[task.host],
                 open_file(directory / (task.host + ".log"), O_WRONLY | O_CREAT | O_APPEND, 0600));
    }
    return {};
  }
  void write(const std::string& host, const std::string& text) {
    const auto found = files_.find(host);
    if (found == files_.end()) return;
    const std::string line = fmt::format("{} {}\n", format_rfc3339(now()), text);
    // A full log disk must not stop an installation.
    [[maybe_unused]] const ssize_t written = ::write(found->second.get(), line.data(), line.size());
  }

 private:
  std::map<std::string, FileDescriptor> files_;
};

/// Base of all styles: one lock, and the log files.
class Report : public RunObserver {
 public:
  explicit Report(HostLogs logs) : logs_(std::move(logs)) {}

  void task_started(const Task& task) final {
    const std::lock_guard lock(mutex_);
    logs_.write(task.host, fmt::format("task {} begins", task.id));
    show_started(task);
  }
  void step_event(const Task& task, const StepEvent& event) final {
    const std::lock_guard lock(mutex_);
    if (event.kind != StepEvent::Kind::progress) logs_.write(task.host, log_line(task, event));
    show_event(task, event);
  }
  void task_finished(const Task& task, TaskResult result, const std::string& message) final {
    const std::lock_guard lock(mutex_);
    logs_.write(task.host, fmt::format("task {} {}{}{}", task.id, to_string(result),
                                       message.empty() ? "" : ": ", message));
    show_finished(task, result, message);
  }

 protected:
  virtual void show_started(const Task&) {}
  virtual void show_event(const Task&, const StepEvent&) {}
  virtual void show_finished(const Task&, TaskResult, const std::string&) {}

 private:
  std::mutex mutex_;
  HostLogs logs_;
};

/// A line for every step that did something, on standard error.
class PlainReport final : public Report {
 public:
  using Report::Report;

 private:
  void show_event(const Task& task, const StepEvent& event) override {
    if (event.kind != StepEvent::Kind::finished || event.result == StepResult::unchanged) return;
    std::fprintf(stderr, "%-12s %-12s %s (%.1f s)\n", task.host.c_str(),
                 std::string(installer::to_string(event.result)).c_str(), event.text.c_str(),
                 static_cast<double>(event.elapsed_ms) / 1000.0);
  }
  void show_finished(const Task& task, TaskResult result, const std::string& message) override {
    if (result == TaskResult::done) return;
    std::fprintf(stderr, "%-12s %-12s %s%s%s\n", task.host.c_str(), std::string(to_string(result)).c_str(),
                 task.id.c_str(), message.empty() ? "" : ": ", message.c_str());
  }
};

/// A line a host, redrawn in place; what needs attention scrolls above.
class LiveReport final : public Report {
 public:
  LiveReport(HostLogs logs, const Plan& plan) : Report(std::move(logs)) {
    for (const Task& task : plan.tasks) {
      if (std::find(hosts_.begin(), hosts_.end(), task.host) == hosts_.end()) hosts_.push_back(task.host);
      ++tasks_[task.host];
    }
  }
  ~LiveReport() override {
    erase();
    draw_lines();
  }

 private:
  void show_started(const Task& task) override { set(task, task.phase); }
  void show_event(const Task& task, const StepEvent& event) override {
    if (event.kind == StepEvent::Kind::started) set(task, fmt::format("{}: {}", task.phase, event.text));
    if (event.kind == StepEvent::Kind::progress && event.total > 0) {
      const std::string& now = text_[task.host];
      set(task, fmt::format("{} {} of {}", now.substr(0, now.find(" — ")) + " —", format_bytes(event.done),
                            format_bytes(event.total)));
    }
    if (event.kind == StepEvent::Kind::finished && event.result == StepResult::changed) ++changes_[task.host];
  }
  void show_finished(const Task& task, TaskResult result, const std::string& message) override {
    ++finished_[task.host];
    if (result == TaskResult::failed) {
      erase();
      std::fprintf(stderr, "%s: %s failed: %s\n", task.host.c_str(), task.id.c_str(), message.c_str());
      drawn_ = 0;
    }
    set(task, result == TaskResult::failed ? "failed: " + message
                                           : fmt::format("{} {}", task.phase, to_string(result)));
  }

  void set(const Task& task, std::string text) {
    text_[task.host] = std::move(text);
    const auto now = std::chrono::steady_clock::now();
    if (now - last_draw_ < std::chrono::milliseconds(80)) return;
    last_draw_ = now;
    erase();
    draw_lines();
  }
  void erase() {
    if (drawn_ > 0) std::fprintf(stderr, "\033[%zuA\033[J", drawn_);
    drawn_ = 0;
  }
  void draw_lines() {
    winsize size{};
    const std::size_t width =
        ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
    for (const std::string& host : hosts_) {
      std::string line = fmt::format("{:<12} {:>2}/{:<2} {:>3} changed  {}", host, finished_[host],
                                     tasks_[host], changes_[host], text_[host]);
      for (char& c : line) c = c == '\n' ? ' ' : c;
      if (line.size() >= width) line.resize(width - 1);
      std::fprintf(stderr, "%s\n", line.c_str());
      ++drawn_;
    }
    std::fflush(stderr);
  }

  std::vector<std::string> hosts_;
  std::map<std::string, unsigned> tasks_;
  std::map<std::string, unsigned> finished_;
  std::map<std::string, unsigned> changes_;
  std::map<std::string, std::string> text_;
  std::size_t drawn_ = 0;
  std::chrono::steady_clock::time_point last_draw_;
};

/// One object a line on standard output.
class JsonReport final : public Report {
 public:
  using Report::Report;

 private:
  static void print(json::Object object) {
    object["version"] = 1;
    object["time"] = format_rfc3339(now());
    std::printf("%s\n", json::serialize(object).c_str());
    std::fflush(stdout);
  }
  void show_started(const Task& task) override {
    print({{"event", "task-started"}, {"task", task.id}, {"host", task.host}, {"phase", task.phase}});
  }
  void show_event(const Task& task, const StepEvent& event) override {
    json::Object object{
        {"task", task.id}, {"host", task.host}, {"phase", task.phase}, {"step", event.step_id}};
    object["text"] = event.text;
    switch (event.kind) {
      case StepEvent::Kind::started:
        object["event"] = "step-started";
        break;
      case StepEvent::Kind::output:
        object["event"] = "step-output";
        break;
      case StepEvent::Kind::progress:
        object["event"] = "step-progress";
        object["done"] = event.done;
        object["total"] = event.total;
        break;
      case StepEvent::Kind::finished:
        object["event"] = "step-finished";
        object["result"] = installer::to_string(event.result);
        object["elapsedMs"] = event.elapsed_ms;
        if (event.result == StepResult::failed) object["code"] = sealift::to_string(event.error_code);
        break;
    }
    print(std::move(object));
  }
  void show_finished(const Task& task, TaskResult result, const std::string& message) override {
    print({{"event", "task-finished"},
           {"task", task.id},
           {"host", task.host},
           {"phase", task.phase},
           {"result", to_string(result)},
           {"text", message}});
  }
};

}  // namespace

Result<std::unique_ptr<RunObserver>> make_report(const Plan& plan, const ReportOptions& options) {
  HostLogs logs;
  TRY(logs.open(plan, options.log_directory));
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  std::unique_ptr<RunObserver> report;
  switch (options.style) {
    case ReportStyle::json:
      report = std::make_unique<JsonReport>(std::move(logs));
      break;
    case ReportStyle::plain:
      report = std::make_unique<PlainReport>(std::move(logs));
      break;
    case ReportStyle::none:
      report = std::make_unique<Report>(std::move(logs));
      break;
    case ReportStyle::automatic:
      if (terminal) {
        report = std::make_unique<LiveReport>(std::move(logs), plan);
      } else {
        report = std::make_unique<PlainReport>(std::move(logs));
      }
      break;
  }
  return report;
}

}  // namespace sealift::installer
