/// The deploy host's end of the agent protocol: requests out, answers sorted to those who wait for them.
#pragma once

#include <memory>
#include <string>

#include "installer/host/channel.hpp"
#include "installer/host/session.hpp"

namespace sealift::installer {

/// Waits for the agent's hello (lines before it, such as a login script's output, are skipped) and checks
/// protocol and program. `program` is the expected digest of the agent ("sha256:…"), or empty when any will
/// do. `host` names it in errors.
Result<std::unique_ptr<Session>> open_session(std::unique_ptr<Channel> channel, const std::string& host,
                                              const std::string& program);

}  // namespace sealift::installer
