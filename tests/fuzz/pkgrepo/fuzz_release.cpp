#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lib/base/files.hpp"
#include "lib/pkgrepo/apt/release.hpp"

namespace apt = sealift::pkgrepo::apt;

/// Only confined paths come out, and what is written reads the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto release =
      apt::parse_release(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!release) return 0;
  for (const auto& [path, file] : release->files) {
    if (!sealift::is_confined_path(path)) std::abort();
  }
  const std::string text = apt::write_release(*release);
  const auto again = apt::parse_release(text, "again");
  if (!again || apt::write_release(*again) != text) std::abort();
  return 0;
}
