/// The HTTP/1.1 server: a few worker threads, each with its own event loop and its own connections.
///
/// Plain HTTP and TLS share a port: a connection whose first byte is 0x16 is TLS. Requests carry no body
/// (this is a pull-only server); one that announces a body is answered and its connection closed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "repo-server/http/access_log.hpp"
#include "repo-server/http/message.hpp"
#include "repo-server/http/statistics.hpp"
#include "repo-server/http/tls.hpp"

namespace sealift::repo_server::http {

enum class TlsMode { both, tls_only, plain_only };

struct Limits {
  unsigned threads = 0;  ///< 0: one per core
  std::int64_t connections = 2048;
  std::int64_t expanding = 256;  ///< answers decompressed at one time; each takes some 3 MiB of memory
  std::chrono::seconds head{
      10};  ///< for a whole request head, from its first byte; also for the TLS handshake
  std::chrono::seconds idle{75};     ///< between requests
  std::chrono::seconds stalled{60};  ///< for each 64 KiB of an answer
};

/// A listening socket and who answers what arrives there.
struct Listener {
  FileDescriptor socket;
  const Handler* handler = nullptr;
};

class Server {
 public:
  /// The handlers, `access_log`, `statistics` and `log` must outlive the server. `tls` may be null with
  /// TlsMode::plain_only.
  static Result<std::unique_ptr<Server>> start(std::vector<Listener> listeners, TlsMode mode, TlsContext tls,
                                               const Limits& limits, const AccessLog& access_log,
                                               Statistics& statistics, Log& log);
  /// Stops at once, if stop() was not called.
  virtual ~Server() = default;
  /// For the connections to come.
  virtual void use(TlsContext tls) = 0;
  /// Stops accepting, lets answers in flight finish for at most `grace`, then breaks the rest off; returns
  /// when all threads have ended.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace sealift::repo_server::http
