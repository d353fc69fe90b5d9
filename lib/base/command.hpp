/// What a command file and the program agree on: add_<verb>() declares options and leaves the action to run.
#pragma once

#include <functional>

#include "lib/base/log.hpp"
#include "lib/base/progress.hpp"
#include "lib/base/result.hpp"

namespace CLI {
class App;
}

namespace sealift {

/// What the program gives to every command. Results go to standard output, everything else to `log`.
struct CommandEnvironment {
  Log& log;
  ProgressStyle progress = ProgressStyle::automatic;
};

using Action = std::function<Status(const CommandEnvironment&)>;

/// Signature of every `add_<verb>`: declares the subcommand on `app`; its CLI11 callback stores what is to be
/// run in `action`.
using AddCommand = void (*)(CLI::App& app, Action& action);

}  // namespace sealift
