/// The access log: one line per answered request, buffered per worker.
///
///     2026-11-20T23:12:00Z 10.0.0.3 "GET /v2/pause/manifests/3.10?ns=registry.k8s.io" 200 1459
///     host="10.0.0.1:5000" agent="containerd/1.7" tls=1 us=85
///
/// An answer that had to be broken off has `error="…"` at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/files.hpp"
#include "repo-server/http/message.hpp"

namespace sealift::repo_server::http {

/// Where lines go. Thread-safe.
class AccessLog {
 public:
  /// `path` "-" is standard error, "off" is nowhere; a file is appended to.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& path);

  bool is_on() const { return on_; }
  /// Writes complete lines with one system call; a failing disk never stops the server.
  void write(std::string_view lines) const;

 private:
  AccessLog() = default;
  bool on_ = false;
  FileDescriptor file_;
  int target_ = -1;
};

/// One worker's lines until they are written.
class AccessLogBuffer {
 public:
  explicit AccessLogBuffer(const AccessLog& log) : log_(&log) {}
  ~AccessLogBuffer() { flush(); }
  AccessLogBuffer(const AccessLogBuffer&) = delete;
  AccessLogBuffer& operator=(const AccessLogBuffer&) = delete;

  /// `rfc3339` is the time of the answer; `body_bytes` what was really sent of the body; `error` why the
  /// answer was broken off, when the reason is here and not with the client.
  void add(const Request& request, int status, std::uint64_t body_bytes, std::string_view rfc3339,
           std::chrono::microseconds took, std::string_view error);
  /// A request that could not be parsed.
  void add_refused(std::string_view peer, int status, std::string_view reason, std::string_view rfc3339);
  void flush();

 private:
  const AccessLog* log_;
  std::string lines_;
};

}  // namespace sealift::repo_server::http
