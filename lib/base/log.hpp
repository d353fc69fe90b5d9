/// Messages for the person, on standard error; never the result, never a secret.
#pragma once

#include <mutex>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace sealift {

/// Writes as much of it as can be written: a full disk or a reader that has gone ends no work.
void print_to_stderr(std::string_view text);

enum class LogLevel { error, warning, info, debug };

/// Writes one line a message to standard error. Thread-safe; passed by reference, never global.
class Log {
 public:
  explicit Log(LogLevel level = LogLevel::info) : level_(level) {}
  virtual ~Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    emit(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    emit(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    emit(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (level_ >= LogLevel::debug) emit(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
  }

  LogLevel level() const { return level_; }

 protected:
  /// One complete line without its end; called with the lock held.
  virtual void write(LogLevel level, std::string_view line);

 private:
  void emit(LogLevel level, std::string_view message);

  LogLevel level_;
  std::mutex mutex_;
};

}  // namespace sealift
