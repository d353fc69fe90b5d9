/// What the lock and the contents have in common as JSON (docs/lock-format.md, docs/bundle-format.md).
#pragma once

#include <string_view>

#include "lib/base/json.hpp"

namespace sealift::bundle {

/// Of a blob in the lock, in the order of OriginKind.
inline constexpr std::string_view kOriginKinds[] = {"registry-manifest", "registry-blob", "url", "inlined"};
/// How a blob is stored that does not stand there as it is.
inline constexpr std::string_view kZstdEncoding = "zstd";

/// Each item as `write` makes it.
template <typename Items, typename Write>
json::Array write_all(const Items& items, Write write) {
  json::Array array;
  for (const auto& item : items) array.push_back(write(item));
  return array;
}

}  // namespace sealift::bundle
