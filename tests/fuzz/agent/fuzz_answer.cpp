/// What the deploy host does with bytes from a host's agent, which may be anybody's once that host is taken
/// over.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/host/protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace protocol = sealift::installer::protocol;
  protocol::LineSplitter lines(1U << 16);
  if (!lines.feed(std::string_view(reinterpret_cast<const char*>(data), size))) return 0;
  while (const auto line = lines.next()) {
    const auto answer = protocol::parse_answer(*line);
    if (!answer) continue;
    const std::string written = protocol::encode(*answer);
    const auto again = protocol::parse_answer(written);
    if (!again || protocol::encode(*again) != written || written.find('\n') != std::string::npos)
      std::abort();
  }
  return 0;
}
