/// The person's `kubeadm:` section laid over what we render. kubeadm's extraArgs come in two forms: a map
/// until v1beta3, since v1beta4 a list of {name, value} in which a name may be repeated. People write either,
/// for any version; we merge lists.
#pragma once

#include <string>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Every extraArgs and kubeletExtraArgs in `document` as a list with text values.
/// ErrorCode::invalid_argument, with the place below `path`, for what is neither form.
Status arguments_as_lists(json::Value& document, const std::string& path);

/// The lists as maps again. ErrorCode::invalid_argument where a name is repeated.
Status arguments_as_maps(json::Value& document, const std::string& path);

/// `overlay` over `base`: objects member by member, everything else replaced; null removes a member. Lists of
/// arguments are merged by name, and an argument with the value null is removed.
json::Value merge(json::Value base, const json::Value& overlay);

}  // namespace sealift::installer
