/// Headers of a deterministic, offset-addressed POSIX tar (POSIX.1-2017 pax interchange format, ustar header
/// blocks).
///
/// Each entry is: an optional pax header `x` (block + records), the ustar block, the data at an aligned
/// offset, zeros up to a multiple of 512. The pax header carries a `comment` that fills the gap to the
/// alignment; entries of 8 GiB and more carry the pax record `size` and, in the ustar block, the same size in
/// GNU base-256, because each alone is misread by some reader. docs/bundle-format.md, section 2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift::archive {

inline constexpr std::uint64_t kTarBlock = 512;
inline constexpr std::uint64_t kTarAlignment = 4096;

struct TarEntry {
  std::string path;  ///< at most 100 bytes, confined
  std::uint64_t size = 0;
  unsigned mode = 0644;
  std::int64_t mtime = 0;  ///< seconds since 1970, not negative, below 2^33
  friend bool operator==(const TarEntry&, const TarEntry&) = default;
};

/// Where the entry's data begin when its headers begin at `at` (a multiple of 512): a multiple of 4096.
std::uint64_t tar_data_offset(const TarEntry& entry, std::uint64_t at);

/// All bytes from `at` up to the data. Same entry and `at`, same bytes.
std::string tar_header(const TarEntry& entry, std::uint64_t at);

/// Where the next entry's headers begin after data of `size` bytes at `data_offset`.
constexpr std::uint64_t tar_next(std::uint64_t data_offset, std::uint64_t size) {
  return (data_offset + size + kTarBlock - 1) / kTarBlock * kTarBlock;
}

/// Size of a whole archive whose last entry ends at `end` (as tar_next gives it): two zero blocks, then up to
/// 4096.
constexpr std::uint64_t tar_total_size(std::uint64_t end) {
  return (end + 2 * kTarBlock + kTarAlignment - 1) / kTarAlignment * kTarAlignment;
}

struct LocatedEntry {
  TarEntry entry;
  std::uint64_t data_offset = 0;
};

/// Reads the headers at `at` and accepts only what tar_header() writes; ErrorCode::integrity otherwise.
Result<LocatedEntry> read_tar_header(const FileDescriptor& file, std::uint64_t at);

}  // namespace sealift::archive
