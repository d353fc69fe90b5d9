/// The person's `kubeadm:` section laid over what we render.
#pragma once

#include <string>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Lists of arguments (installer/inventory/arguments.hpp) as the maps of v1beta2 and v1beta3.
/// ErrorCode::invalid_argument where a name is repeated.
Status arguments_as_maps(json::Value& document, const std::string& path);

/// `overlay` over `base`: objects member by member, everything else replaced; null removes a member. Lists of
/// arguments are merged by name, and an argument with the value null is removed.
json::Value merge(json::Value base, const json::Value& overlay);

}  // namespace sealift::installer
