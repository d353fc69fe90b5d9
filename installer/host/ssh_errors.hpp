/// What ssh's own messages mean, and what the person can do.
#pragma once

#include <string>

#include "installer/host/session.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Does ssh complain about the host's key (unknown or changed)?
bool is_host_key_problem(const std::string& said);

/// The error for a failed ssh. `offered_key` is "ssh-ed25519 SHA256:…" when known; `sudo`: the command ran
/// under sudo.
tl::unexpected<Error> ssh_error(const HostAddress& host, bool sudo, const std::string& said,
                                const std::string& offered_key);

}  // namespace sealift::installer
