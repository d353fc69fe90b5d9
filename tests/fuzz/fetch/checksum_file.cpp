#include "builder/resolve/checksum_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)sealift::builder::find_checksum({reinterpret_cast<const char*>(data), size}, "tool.tgz", "fuzz");
  return 0;
}
