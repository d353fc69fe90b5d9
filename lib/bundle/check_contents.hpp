/// What must hold between the parts of a table of contents. Internal to lib/bundle.
#pragma once

#include <string>

#include "lib/base/result.hpp"
#include "lib/bundle/contents.hpp"

namespace sealift::bundle {

/// Extents are aligned, inside the bundle and apart; images, files and packages name listed blobs; both lists
/// are sorted; compressed files fit their blobs. ErrorCode::integrity, beginning with `what`.
Status check_contents(const Contents& contents, const std::string& what);

}  // namespace sealift::bundle
