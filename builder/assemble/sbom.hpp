/// The bill of materials that travels in the bundle: SPDX 2.3 in JSON
/// (https://spdx.github.io/spdx-spec/v2.3/).
#pragma once

#include <string>

#include "lib/bundle/lock.hpp"

namespace sealift::builder {

/// Path of the document in the served tree.
inline constexpr const char* kSbomPath = "sbom.spdx.json";

/// Images, operating system packages and files, each with digest and origin. Same lock, same bytes.
std::string write_sbom(const bundle::Lock& lock);

}  // namespace sealift::builder
