/// The command line: which commands there are, global options, and how a failure becomes an exit status.
#pragma once

namespace sealift {

/// Parses, runs one command and returns the process's exit status (docs/exit-codes.md).
int run_program(int argc, char** argv);

}  // namespace sealift
