/// The version of Sealift itself.
#pragma once

#include <string_view>

namespace sealift {

inline constexpr std::string_view kSealiftVersion = "0.1.0";

}  // namespace sealift
