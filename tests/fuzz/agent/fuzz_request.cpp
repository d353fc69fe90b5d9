/// What the agent, a root process, does with bytes on its standard input. A request that is taken must mean
/// the same when it is written again, and none of its paths may leave the place it names.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/host/protocol.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

using namespace sealift::installer;

void check_step(const Step& step) {
  require(!step.id.empty() && step.id.find('\n') == std::string::npos);
  require(describe(step.action).find('\n') == std::string::npos);
  require(fingerprint(step.action).hex().size() == 64);
  if (const auto* file = std::get_if<WriteFile>(&step.action)) {
    require(file->path.starts_with('/') && (file->path + "/").find("/../") == std::string::npos &&
            file->mode <= 0777);
  }
  if (const auto* path = std::get_if<RemovePath>(&step.action)) {
    require(path->path.starts_with('/') && (path->path + "/").find("/../") == std::string::npos);
  }
  if (const auto* run = std::get_if<Run>(&step.action))
    require(!run->arguments.empty() && !run->arguments[0].empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  protocol::LineSplitter lines(1U << 16);
  if (!lines.feed(bytes)) return 0;
  while (const auto line = lines.next()) {
    const auto request = protocol::parse_request(*line);
    if (!request) continue;
    const std::string written = protocol::encode(*request);
    require(written.find('\n') == std::string::npos);
    const auto again = protocol::parse_request(written);
    require(again.has_value() && protocol::encode(*again) == written);
    if (const auto* run = std::get_if<protocol::RunAsked>(&*request)) {
      for (const Step& step : run->steps) check_step(step);
    }
  }
  return 0;
}
