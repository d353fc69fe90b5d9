#include "lib/archive/tar_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sealift::archive {

namespace {

constexpr std::uint64_t kOctalSizeLimit = 1ULL << 33;  // eleven octal digits
constexpr std::size_t kMaxHeaderBytes = 3 * kTarBlock + kTarAlignment;

/// Field positions of a ustar block (POSIX.1-2017, pax, "ustar Header Block").
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257;

using Block = std::array<char, kTarBlock>;

void put_octal(Block& block, Field field, std::uint64_t value) {
  for (std::size_t i = field.size - 1; i-- > 0;) {
    block[field.offset + i] = static_cast<char>('0' + (value & 7));
    value >>= 3;
  }
}

void put_size(Block& block, std::uint64_t size) {
  if (size < kOctalSizeLimit) return put_octal(block, kSize, size);
  block[kSize.offset] = static_cast<char>(0x80);
  for (std::size_t i = kSize.size - 1; i > 0; --i) {
    block[kSize.offset + i] = static_cast<char>(size & 0xff);
    size >>= 8;
  }
}

unsigned checksum(const Block& block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool inside = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    sum += inside ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

Block ustar_block(const TarEntry& entry, char type) {
  Block block{};
  std::memcpy(&block[kName.offset], entry.path.data(), std::min(entry.path.size(), kName.size));
  put_octal(block, kMode, entry.mode);
  put_octal(block, kUid, 0);
  put_octal(block, kGid, 0);
  put_size(block, entry.size);
  put_octal(block, kMtime, static_cast<std::uint64_t>(entry.mtime));
  block[kType] = type;
  std::memcpy(&block[kMagic], "ustar\00000", 8);
  std::string sum = fmt::format("{:06o}", checksum(block));
  sum.push_back('\0');
  sum.push_back(' ');
  std::memcpy(&block[kChecksum.offset], sum.data(), kChecksum.size);
  return block;
}

/// "<length> <key>=<value>\n", where length counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length)
    length = fmt::formatted_size("{}", length) + rest;
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string size_record(const TarEntry& entry) {
  if (entry.size < kOctalSizeLimit) return {};
  return pax_record("size", fmt::format("{}", entry.size));
}

/// Exactly `bytes` (a multiple of 512, so there is always room) of pax records.
std::string pax_records(const TarEntry& entry, std::size_t bytes) {
  std::string records = size_record(entry);
  const std::size_t left = bytes - records.size();
  // "ddd comment=" and "\n" around the filling; `left` has three or four digits.
  const std::size_t frame = fmt::formatted_size("{} comment=\n", left);
  records += fmt::format("{} comment={}\n", left, std::string(left - frame, '.'));
  return records;
}

}  // namespace

std::uint64_t tar_data_offset(const TarEntry& entry, std::uint64_t at) {
  std::uint64_t data = (at + kTarBlock + kTarAlignment - 1) / kTarAlignment * kTarAlignment;
  const bool needs_pax = entry.size >= kOctalSizeLimit;
  // A pax header needs its own block and at least one block of records.
  while (data - at != kTarBlock ? data - at < 3 * kTarBlock : needs_pax) data += kTarAlignment;
  return data;
}

std::string tar_header(const TarEntry& entry, std::uint64_t at) {
  const std::uint64_t total = tar_data_offset(entry, at) - at;
  std::string header;
  if (total > kTarBlock) {
    TarEntry pax = entry;
    pax.path = "././@PaxHeader";
    pax.size = total - 2 * kTarBlock;
    pax.mode = 0644;
    const Block block = ustar_block(pax, 'x');
    header.append(block.data(), block.size());
    header += pax_records(entry, pax.size);
  }
  const Block block = ustar_block(entry, '0');
  header.append(block.data(), block.size());
  return header;
}

namespace {

Result<std::uint64_t> get_number(std::string_view block, Field field) {
  const std::string_view text = block.substr(field.offset, field.size);
  std::uint64_t value = 0;
  if (static_cast<unsigned char>(text[0]) == 0x80) {
    for (std::size_t i = 4; i < text.size(); ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
    return value;
  }
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '7') return fail(ErrorCode::integrity, "a damaged number in a tar header");
    value = value << 3 | static_cast<std::uint64_t>(text[i] - '0');
  }
  return value;
}

}  // namespace

Result<LocatedEntry> read_tar_header(const FileDescriptor& file, std::uint64_t at) {
  const auto damaged = [at] {
    return fail(ErrorCode::integrity,
                "no valid entry header at byte {}: not a Sealift bundle, or a damaged one", at);
  };
  std::array<char, kTarBlock> first{};
  if (!read_exactly_at(file, at, std::as_writable_bytes(std::span(first)))) return damaged();
  std::uint64_t ustar_at = at;
  if (first[kType] == 'x') {
    auto pax_bytes = get_number(std::string_view(first.data(), first.size()), kSize);
    if (!pax_bytes || *pax_bytes > kMaxHeaderBytes || *pax_bytes % kTarBlock != 0) return damaged();
    ustar_at = at + kTarBlock + *pax_bytes;
    if (!read_exactly_at(file, ustar_at, std::as_writable_bytes(std::span(first)))) return damaged();
  }
  const std::string_view block(first.data(), first.size());
  LocatedEntry located;
  const std::string_view name = block.substr(kName.offset, kName.size);
  located.entry.path = std::string(name.substr(0, name.find('\0')));
  auto size = get_number(block, kSize);
  auto mode = get_number(block, kMode);
  auto mtime = get_number(block, kMtime);
  if (!size || !mode || !mtime || *mode > 07777 || !is_confined_path(located.entry.path)) return damaged();
  located.entry.size = *size;
  located.entry.mode = static_cast<unsigned>(*mode);
  located.entry.mtime = static_cast<std::int64_t>(*mtime);
  located.data_offset = ustar_at + kTarBlock;
  // One form only: whatever these fields would be written as must be what is there, checksum and padding
  // included.
  const std::string expected = tar_header(located.entry, at);
  std::string found(expected.size(), '\0');
  if (at + expected.size() != located.data_offset ||
      !read_exactly_at(file, at, std::as_writable_bytes(std::span(found))) || found != expected) {
    return damaged();
  }
  return located;
}

}  // namespace sealift::archive
