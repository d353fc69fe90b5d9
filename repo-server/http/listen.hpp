/// Listening sockets: our own, or those systemd hands over (sd_listen_fds(3)).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift::repo_server::http {

/// Binds and listens on a numeric IPv4 or IPv6 address. Port 0 takes a free one. An address in use is
/// ErrorCode::conflict.
Result<FileDescriptor> listen_on(const std::string& address, std::uint16_t port);

/// The sockets of LISTEN_FDS when LISTEN_PID is this process, else none. The variables are left alone.
std::vector<FileDescriptor> inherited_sockets();

/// The local port of a listening socket.
Result<std::uint16_t> local_port(const FileDescriptor& socket);

/// "10.0.0.1:5000" or "[fd00::1]:5000" for what listen_on() takes.
Result<std::string> address_text(const std::string& address, std::uint16_t port);

/// The same of a listening socket.
Result<std::string> local_address(const FileDescriptor& socket);

}  // namespace sealift::repo_server::http
