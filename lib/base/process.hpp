/// Runs another program: arguments as a list (never a shell), bounded output, a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift {

struct Command {
  std::vector<std::string> arguments;              ///< [0] is the program, found in PATH when it has no '/'
  std::string input;                               ///< given on standard input
  std::map<std::string, std::string> environment;  ///< added to ours
  std::chrono::milliseconds deadline = std::chrono::minutes(10);
  std::uint64_t output_limit_bytes = 4U
                                     << 20;  ///< of each stream; more is cut from the front (the end is kept)
};

struct CommandOutput {
  int exit_code = 0;  ///< 128 + signal when it was killed
  std::string out;
  std::string err;
  bool ok() const { return exit_code == 0; }
};

/// Fails when the program cannot be started or passes its deadline (it is killed then); any exit code is a
/// success here.
Result<CommandOutput> run(const Command& command);

/// Like run, and a non-zero exit code is an error that quotes the last lines of its standard error.
Result<CommandOutput> run_checked(const Command& command);

}  // namespace sealift
