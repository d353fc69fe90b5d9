/// Lines to and from an agent, whatever carries them.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift::installer {

class Channel {
 public:
  virtual ~Channel() = default;
  /// Sends one line; thread-safe.
  virtual Status send(std::string_view line) = 0;
  /// The next line; nothing when the other side closed. Called by one thread.
  virtual Result<std::optional<std::string>> receive(std::chrono::milliseconds timeout) = 0;
  /// What the carrier said about its end ("Connection reset by …"), for errors.
  virtual std::string diagnosis() = 0;
  /// Closes the sending side; the agent then ends after its current step.
  virtual void close() = 0;
};

/// A program of this machine whose standard input and output are the channel (ssh, or the agent itself). It
/// is put into a session of its own so that Ctrl-C reaches only us.
Result<std::unique_ptr<Channel>> start_channel(const std::vector<std::string>& arguments,
                                               const std::map<std::string, std::string>& environment);

}  // namespace sealift::installer
