/// The texts of manifests/templates/, which are part of the program, with values filled in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Fills the template `name` ("nginx.conf"). Strings are put in as they are; arrays repeat their section; an
/// object's members are known inside its section; "", false and [] leave a section out. Fails for an unknown
/// template, and for a value that holds a line break or a control character: such a value could become
/// configuration of its own.
Result<std::string> fill_template(std::string_view name, const json::Object& values);

/// Names of all templates.
std::vector<std::string> template_names();

}  // namespace sealift::installer
