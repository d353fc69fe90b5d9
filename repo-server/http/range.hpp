/// Byte ranges and conditions (RFC 9110 sections 13 and 14).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sealift::repo_server::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeKind {
  whole,    ///< no Range, or one we need not honour (several ranges, another unit, malformed): answer 200
  partial,  ///< answer 206 with `range`
  unsatisfiable,  ///< answer 416
};

struct RangeDecision {
  RangeKind kind = RangeKind::whole;
  ByteRange range;
};

/// Reads a Range header for a representation of `size` bytes: "bytes=0-99", "bytes=100-", "bytes=-100".
RangeDecision decide_range(std::string_view header, std::uint64_t size);

/// Whether an If-None-Match list names `etag` (weak comparison, "*" matches any).
bool matches_etag(std::string_view header, std::string_view etag);

}  // namespace sealift::repo_server::http
