#include "repo-server/http/access_log.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "repo-server/http/target.hpp"

namespace sealift::repo_server::http {
namespace {

constexpr std::size_t kFlushBytes = 32 * 1024;

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path) {
  std::unique_ptr<AccessLog> log(new AccessLog());
  if (path == "off") return log;
  log->on_ = true;
  if (path == "-") {
    log->target_ = STDERR_FILENO;
    return log;
  }
  TRY_ASSIGN(log->file_, open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0640));
  log->target_ = log->file_.get();
  return log;
}

void AccessLog::write(std::string_view lines) const {
  while (on_ && !lines.empty()) {
    const ssize_t written = ::write(target_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AccessLogBuffer::add(const Request& request, int status, std::uint64_t body_bytes,
                          std::string_view rfc3339, std::chrono::microseconds took, std::string_view error) {
  if (!log_->is_on()) return;
  fmt::format_to(std::back_inserter(lines_), "{} {} \"{} {}\" {} {} host=\"{}\" agent=\"{}\" tls={} us={}",
                 rfc3339, request.peer, escape_log(request.method_name), escape_log(request.target), status,
                 body_bytes, escape_log(request.host), escape_log(request.user_agent), request.secure ? 1 : 0,
                 took.count());
  if (!error.empty()) fmt::format_to(std::back_inserter(lines_), " error=\"{}\"", escape_log(error));
  lines_ += '\n';
  if (lines_.size() >= kFlushBytes) flush();
}

void AccessLogBuffer::add_refused(std::string_view peer, int status, std::string_view reason,
                                  std::string_view rfc3339) {
  if (!log_->is_on()) return;
  fmt::format_to(std::back_inserter(lines_), "{} {} \"-\" {} 0 reason=\"{}\"\n", rfc3339, peer, status,
                 escape_log(reason));
  if (lines_.size() >= kFlushBytes) flush();
}

void AccessLogBuffer::flush() {
  log_->write(lines_);
  lines_.clear();
}

}  // namespace sealift::repo_server::http
