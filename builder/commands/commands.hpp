/// Commands of the online side.
#pragma once

#include "lib/base/command.hpp"

namespace sealift::builder {

void add_keygen(CLI::App& app, Action& action);
void add_lock(CLI::App& app, Action& action);
void add_create(CLI::App& app, Action& action);

}  // namespace sealift::builder
