/// The serving half's commands, for sealift/cli.cpp.
#pragma once

#include "lib/base/command.hpp"

namespace sealift::repo_server {

void add_serve(CLI::App& app, Action& action);

}  // namespace sealift::repo_server
