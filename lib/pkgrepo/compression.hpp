/// Whole compressed documents in memory: package indexes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift::pkgrepo {

enum class Compression { none, gzip, xz, zstd };

/// By the end of a file's name: .gz, .xz, .zst, anything else is none.
Compression compression_of(std::string_view path);

/// At most `limit_bytes` come out, however little went in. ErrorCode::integrity when it is damaged, cut off
/// or larger.
Result<std::string> decompress(std::string_view compressed, Compression compression,
                               std::uint64_t limit_bytes, std::string_view what);

/// gzip (level 9, no time, no name) or xz (preset 6, one thread): the same text gives the same bytes.
Result<std::string> compress(std::string_view text, Compression compression);

}  // namespace sealift::pkgrepo
