/// Starts another program; for one that only has to run to its end see process.hpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift {

/// A running program and our ends of its standard streams. Whoever has it waits for the process.
struct ChildProcess {
  pid_t pid = -1;
  FileDescriptor in;   ///< to write
  FileDescriptor out;  ///< to read
  FileDescriptor err;  ///< to read
};

/// `arguments`: [0] is the program, found in PATH when it has no '/'; `environment` is added to ours. The
/// program gets a session and process group of its own (kill(-pid) ends its children too, and it has no
/// terminal to ask a person on) and none of our signal settings. ErrorCode::not_found when there is no such
/// program.
Result<ChildProcess> spawn(std::vector<std::string> arguments,
                           const std::map<std::string, std::string>& environment = {});

}  // namespace sealift
