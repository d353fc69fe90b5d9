/// What can be derived from the command line's own description: shell completion and the manual page.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sealift {

/// A completion script for bash, zsh (through bashcompinit) or fish; `shell` is one of these words.
std::string write_completion(const CLI::App& program, const std::string& shell);

/// sealift(1) as roff (man(7) macros), every command with its options.
std::string write_manual(const CLI::App& program);

}  // namespace sealift
