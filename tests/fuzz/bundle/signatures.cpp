#include "lib/bundle/signatures.hpp"

#include <cstdlib>
#include <set>

#include "lib/bundle/layout.hpp"

namespace bundle = sealift::bundle;

/// There is one spelling of each set of signatures: a slot that is accepted is written again byte for byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view slot(reinterpret_cast<const char*>(data), size);
  const auto lines = bundle::parse_signatures(slot);
  if (!lines) {
    if (lines.error().code() != sealift::ErrorCode::integrity) std::abort();
    return 0;
  }
  std::set<std::string> keys;
  for (const auto& line : *lines) {
    if (line.key_id.size() != 64 || line.signature.size() != 64 || !keys.insert(line.key_id).second)
      std::abort();
  }
  const auto written = bundle::write_signatures(*lines);
  if (written && !written->starts_with(slot.substr(0, slot.find_last_not_of('\n') + 1))) std::abort();
  if (size == bundle::kSignatureSlotBytes && (!written || *written != slot)) std::abort();
  return 0;
}
