/// Commands that belong to both sides of the gap: looking at a bundle, checking it, signing it.
#pragma once

#include "lib/base/command.hpp"

namespace sealift {

void add_info(CLI::App& app, Action& action);
void add_ls(CLI::App& app, Action& action);
void add_verify(CLI::App& app, Action& action);
void add_sign(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);
void add_man(CLI::App& app, Action& action);

}  // namespace sealift
