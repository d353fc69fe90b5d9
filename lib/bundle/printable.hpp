/// Text of a bundle that nobody has vouched for, on its way to a terminal.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::bundle {

/// Whether valid UTF-8 text holds no control characters: C0, DEL, C1, line separators, and those that turn
/// the direction of writing.
bool is_printable(std::string_view text);

/// For errors: printable ASCII as it is, every other byte as \xNN; at most 100 bytes of `text`.
std::string escaped(std::string_view text);

/// ErrorCode::integrity when any string or member name in `value` is not printable. `what` names the
/// document.
Status check_printable(const json::Value& value, const std::string& what);

}  // namespace sealift::bundle
