/// What a server needs of its process: descriptors, signals, the service manager.
#pragma once

#include <chrono>
#include <csignal>
#include <optional>
#include <string_view>

#include "lib/base/files.hpp"

namespace sealift::repo_server {

/// Raises the limit of open files to what is allowed and ignores SIGPIPE (OpenSSL writes to sockets without
/// MSG_NOSIGNAL).
void prepare_server_process();

/// Blocks SIGTERM and SIGINT for this thread and those it starts, so that wait_for() gets them.
class StopSignals {
 public:
  StopSignals();
  /// The signal, after which both have their usual effect again; nothing when none came within `duration`.
  std::optional<int> wait_for(std::chrono::seconds duration) const;

 private:
  sigset_t set_{};
  sigset_t before_{};
};

/// True for a file that systemd handed to this service (systemd.exec(5), LoadCredential=). Only the service's
/// own user may enter its folder; the group's bits of such a file are the mask of an access list and admit
/// nobody.
bool is_service_credential(const fs::path& path);

/// sd_notify(3) without libsystemd; nothing when NOTIFY_SOCKET is not set.
void notify_service_manager(std::string_view state);

}  // namespace sealift::repo_server
