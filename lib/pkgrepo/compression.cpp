#include "lib/pkgrepo/compression.hpp"

#include <array>
#include <memory>

#include <archive.h>
#include <archive_entry.h>

namespace sealift::pkgrepo {
namespace {

struct ReadDeleter {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct WriteDeleter {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct EntryDeleter {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Reader = std::unique_ptr<archive, ReadDeleter>;
using Writer = std::unique_ptr<archive, WriteDeleter>;
using Entry = std::unique_ptr<archive_entry, EntryDeleter>;

std::string_view text_of(archive* a) {
  const char* text = archive_error_string(a);
  return text == nullptr ? "unknown error" : text;
}

int add_read_filter(archive* a, Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return archive_read_support_filter_gzip(a);
    case Compression::xz:
      return archive_read_support_filter_xz(a);
    case Compression::zstd:
      return archive_read_support_filter_zstd(a);
    case Compression::none:
      break;
  }
  return ARCHIVE_OK;
}

int filter_code(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return ARCHIVE_FILTER_GZIP;
    case Compression::xz:
      return ARCHIVE_FILTER_XZ;
    case Compression::zstd:
      return ARCHIVE_FILTER_ZSTD;
    case Compression::none:
      break;
  }
  return ARCHIVE_FILTER_NONE;
}

/// libarchive passes on what it does not recognise and unwraps what is wrapped twice: exactly one layer is
/// right. (The second one it counts is the memory it reads.)
bool is_unwrapped_once(archive* a, Compression compression) {
  return archive_filter_count(a) == 2 && archive_filter_code(a, 0) == filter_code(compression);
}

/// Tells a wrong file from a damaged one.
bool has_magic(std::string_view data, Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return data.starts_with("\x1f\x8b");
    case Compression::xz:
      return data.starts_with(
          std::string_view("\xfd"
                           "7zXZ\0",
                           6));
    case Compression::zstd:
      return data.starts_with("\x28\xb5\x2f\xfd");
    case Compression::none:
      break;
  }
  return true;
}

la_ssize_t append(archive*, void* to, const void* data, std::size_t size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

Result<std::string> read_whole(archive* a, std::uint64_t limit_bytes, std::string_view what) {
  std::string text;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const auto got = archive_read_data(a, buffer.data(), buffer.size());
    if (got < 0) return fail(ErrorCode::integrity, "{} cannot be decompressed: {}", what, text_of(a));
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > limit_bytes) {
      return fail(ErrorCode::integrity, "{} decompresses to more than {} bytes", what, limit_bytes);
    }
  }
}

}  // namespace

Compression compression_of(std::string_view path) {
  if (path.ends_with(".gz")) return Compression::gzip;
  if (path.ends_with(".xz")) return Compression::xz;
  if (path.ends_with(".zst")) return Compression::zstd;
  return Compression::none;
}

Result<std::string> decompress(std::string_view compressed, Compression compression,
                               std::uint64_t limit_bytes, std::string_view what) {
  if (compression == Compression::none) {
    if (compressed.size() <= limit_bytes) return std::string(compressed);
    return fail(ErrorCode::integrity, "{} has {} bytes, more than {}", what, compressed.size(), limit_bytes);
  }
  if (!has_magic(compressed, compression)) {
    return fail(ErrorCode::integrity, "{} is not compressed the way its name says", what);
  }
  const Reader reader(archive_read_new());
  archive_entry* entry = nullptr;
  if (add_read_filter(reader.get(), compression) != ARCHIVE_OK ||
      archive_read_support_format_raw(reader.get()) != ARCHIVE_OK ||
      archive_read_support_format_empty(reader.get()) != ARCHIVE_OK ||
      archive_read_open_memory(reader.get(), compressed.data(), compressed.size()) != ARCHIVE_OK) {
    return fail(ErrorCode::integrity, "{} cannot be decompressed: {}", what, text_of(reader.get()));
  }
  const int status = archive_read_next_header(reader.get(), &entry);
  if (status != ARCHIVE_OK && status != ARCHIVE_EOF) {
    return fail(ErrorCode::integrity, "{} cannot be decompressed: {}", what, text_of(reader.get()));
  }
  if (!is_unwrapped_once(reader.get(), compression)) {
    return fail(ErrorCode::integrity,
                "{} cannot be decompressed: damaged, cut off or compressed more than once", what);
  }
  if (status == ARCHIVE_EOF) return std::string();
  return read_whole(reader.get(), limit_bytes, what);
}

Result<std::string> compress(std::string_view text, Compression compression) {
  if (compression == Compression::none) return std::string(text);
  std::string out;
  const Writer writer(archive_write_new());
  archive* a = writer.get();
  int status = archive_write_set_format_raw(a);
  if (status == ARCHIVE_OK && compression == Compression::gzip) {
    status = archive_write_add_filter_gzip(a);
    if (status == ARCHIVE_OK) status = archive_write_set_filter_option(a, "gzip", "compression-level", "9");
    if (status == ARCHIVE_OK) status = archive_write_set_filter_option(a, "gzip", "timestamp", nullptr);
  } else if (status == ARCHIVE_OK && compression == Compression::xz) {
    status = archive_write_add_filter_xz(a);
    if (status == ARCHIVE_OK) status = archive_write_set_filter_option(a, "xz", "compression-level", "6");
  } else {
    return fail(ErrorCode::unsupported, "indexes are written as gzip or xz only");
  }
  // Without this the stream is padded to a tape block.
  if (status == ARCHIVE_OK) status = archive_write_set_bytes_in_last_block(a, 1);
  if (status == ARCHIVE_OK) status = archive_write_open(a, &out, nullptr, append, nullptr);
  const Entry entry(archive_entry_new());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  if (status == ARCHIVE_OK) status = archive_write_header(a, entry.get());
  if (status != ARCHIVE_OK) return fail(ErrorCode::internal, "cannot compress: {}", text_of(a));
  if (archive_write_data(a, text.data(), text.size()) != static_cast<la_ssize_t>(text.size()) ||
      archive_write_close(a) != ARCHIVE_OK) {
    return fail(ErrorCode::internal, "cannot compress: {}", text_of(a));
  }
  return out;
}

}  // namespace sealift::pkgrepo
