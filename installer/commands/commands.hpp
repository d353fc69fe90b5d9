/// The installing half's commands, for sealift/cli.cpp.
#pragma once

#include "lib/base/command.hpp"

namespace sealift::installer {

void add_preflight(CLI::App& app, sealift::Action& action);
void add_plan(CLI::App& app, sealift::Action& action);
void add_install(CLI::App& app, sealift::Action& action);
void add_status(CLI::App& app, sealift::Action& action);
void add_agent(CLI::App& app, sealift::Action& action);

}  // namespace sealift::installer
