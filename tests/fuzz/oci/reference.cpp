#include "lib/oci/reference.hpp"

#include <cstdlib>

#include "lib/oci/platform.hpp"

/// A canonical name reads back as itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto reference = sealift::oci::Reference::parse(text)) {
    const auto again = sealift::oci::Reference::parse(reference->str());
    if (!again || *again != *reference) std::abort();
    if (reference->tag().empty() && !reference->digest()) std::abort();
  }
  if (const auto platform = sealift::oci::Platform::parse(text)) {
    const auto again = sealift::oci::Platform::parse(platform->str());
    if (!again || *again != *platform) std::abort();
  }
  return 0;
}
