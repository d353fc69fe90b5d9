/// Packets of IP protocol 112 that anybody on the network can send to a root process during preflight.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/host/facts_parts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealift::installer::VrrpFact fact;
  if (!sealift::installer::parse_vrrp(std::string_view(reinterpret_cast<const char*>(data), size), fact))
    return 0;
  if (fact.router_id > 255 || fact.priority > 255 || fact.addresses.size() > 255 ||
      fact.addresses.size() * 4 > size)
    std::abort();
  return 0;
}
