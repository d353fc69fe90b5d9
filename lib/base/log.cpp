#include "lib/base/log.hpp"

#include <cstdio>

namespace sealift {

void print_to_stderr(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stderr); }

void Log::emit(LogLevel level, std::string_view message) {
  if (level > level_) return;
  const std::lock_guard lock(mutex_);
  write(level, message);
}

void Log::write(LogLevel level, std::string_view line) {
  const char* prefix = level == LogLevel::error     ? "error: "
                       : level == LogLevel::warning ? "warning: "
                       : level == LogLevel::debug   ? "debug: "
                                                    : "";
  print_to_stderr(fmt::format("{}{}\n", prefix, line));
}

}  // namespace sealift
