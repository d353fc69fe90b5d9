#include "builder/resolve/manifest_images.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)sealift::builder::find_images({reinterpret_cast<const char*>(data), size}, "fuzz");
  return 0;
}
