#include "builder/fetch/credentials.hpp"

/// Only parsing: looking a login up may run a program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)sealift::builder::Credentials::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  return 0;
}
