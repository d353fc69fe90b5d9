/// JSON values as block-style YAML that a person can read and any YAML 1.1 or 1.2 parser takes back
/// unchanged.
#pragma once

#include <string>
#include <vector>

#include "lib/base/json.hpp"

namespace sealift::installer {

/// One document without the leading "---". Strings are quoted unless they are plain words; members keep their
/// order.
std::string to_yaml(const json::Value& value);

/// Several documents in one file, separated by "---".
std::string to_yaml_stream(const std::vector<json::Value>& documents);

}  // namespace sealift::installer
