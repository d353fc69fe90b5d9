/// Which paths the tree of a bundle may have: one rule for who writes them and who reads them.
#pragma once

#include <string_view>

namespace sealift::bundle {

/// For errors: what is_served_path() accepts.
inline constexpr std::string_view kServedPathRule =
    "relative, without .., of printable ASCII without spaces and backslashes, at most 1024 bytes";

/// `path` as in the table of contents, "files/bin/kubectl": it is shown to people and used in URLs and on
/// disks.
bool is_served_path(std::string_view path);

}  // namespace sealift::bundle
