/// The installing half's commands, for sealift/cli.cpp.
#pragma once

#include "lib/base/command.hpp"

namespace sealift::installer {

void add_preflight(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_install(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_agent(CLI::App& app, Action& action);

}  // namespace sealift::installer
