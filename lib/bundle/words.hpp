/// Words of the formats that are both written and read (docs/lock-format.md, docs/bundle-format.md).
#pragma once

#include <string_view>

namespace sealift::bundle {

/// Of a blob in the lock, in the order of OriginKind.
inline constexpr std::string_view kOriginKinds[] = {"registry-manifest", "registry-blob", "url", "inlined"};
/// How a blob is stored that does not stand there as it is.
inline constexpr std::string_view kZstdEncoding = "zstd";

}  // namespace sealift::bundle
