/// Programs the agent runs for steps: a fixed environment, output line by line, a deadline, and no survivor
/// when the agent dies.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift::installer {

/// What becomes of the program when the agent itself is killed.
enum class Orphan {
  dies,     ///< it is killed too, so that a resumed run does not meet it
  finishes  ///< package managers: half a transaction is worse than a late one
};

struct Child {
  std::vector<std::string> arguments{};
  std::map<std::string, std::string>
      environment{};  ///< added to PATH, HOME and LANG=C.UTF-8; nothing else is inherited
  std::string input{};
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  Orphan orphan = Orphan::dies;
  std::function<void(std::string_view line)> on_line{};  ///< both streams, complete lines of at most 4 KiB
  const std::atomic<bool>* stop = nullptr;               ///< when it becomes true the program is ended
};

struct ChildResult {
  int exit_code = 0;  ///< 128 + signal when it was killed
  std::string out{};  ///< the last MiB of standard output
  std::string err{};  ///< the last 64 KiB of standard error
};

/// Not found: ErrorCode::not_found. Past its timeout: ErrorCode::interrupted; the program and its group are
/// ended (SIGTERM, 5 s later SIGKILL).
Result<ChildResult> run_child(const Child& child);

/// The last lines of what it said, for an error message: standard error, else standard output.
std::string last_words(const ChildResult& result, std::size_t limit = 1500);

/// The absolute path of a program in the fixed PATH, or empty.
std::string find_program(std::string_view name);

}  // namespace sealift::installer
