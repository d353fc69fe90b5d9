#include "lib/archive/tar_header.hpp"

#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

namespace archive = sealift::archive;

namespace {

/// Accepted is only what is written, so that nothing can hide in a header.
void check_at(const sealift::FileDescriptor& file, std::string_view all, std::uint64_t at) {
  const auto located = archive::read_tar_header(file, at);
  if (!located) {
    if (located.error().code() != sealift::ErrorCode::integrity) std::abort();
    return;
  }
  const archive::TarEntry& entry = located->entry;
  if (entry.path.size() > 100 || !sealift::is_confined_path(entry.path) || entry.mtime < 0) std::abort();
  if (located->data_offset != archive::tar_data_offset(entry, at) ||
      located->data_offset % archive::kTarAlignment != 0 || located->data_offset > all.size() ||
      archive::tar_header(entry, at) != all.substr(at, located->data_offset - at))
    std::abort();
}

}  // namespace

/// The file is the input; headers are looked for at its first blocks.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sealift::FileDescriptor file(::memfd_create("fuzz", MFD_CLOEXEC));
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  if (!file || !sealift::write_exactly_at(file, 0, sealift::as_bytes(all))) std::abort();
  for (const std::uint64_t at : {0ULL, 1ULL, 4ULL, 7ULL}) check_at(file, all, at * archive::kTarBlock);
  return 0;
}
