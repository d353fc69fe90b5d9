/// kubeadm's extraArgs in the documents of `kubeadm:`. They come in two forms: a map until v1beta3, since
/// v1beta4 a list of {name, value} in which a name may be repeated. People write either, for any version;
/// inside we have lists.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Is this the name of a member with arguments: extraArgs or kubeletExtraArgs?
bool holds_arguments(std::string_view key);

/// Replaces all arguments in `value` by what `convert` makes of them; null, which removes them, stays. Errors
/// name the place below `path`.
Status convert_arguments(json::Value& value, const std::string& path,
                         const std::function<Result<json::Value>(const json::Value&)>& convert);

/// All arguments in `document` as lists with text values. ErrorCode::invalid_argument for what is neither
/// form.
Status arguments_as_lists(json::Value& document, const std::string& path);

}  // namespace sealift::installer
