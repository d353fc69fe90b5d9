/// One HTTP request and its answer as the handlers see them; how bytes travel is connection.cpp's affair.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sealift::repo_server::http {

enum class Method { get, head, other };

/// A request whose head was well formed. Strings are the client's: never trust, always escape.
struct Request {
  Method method = Method::get;
  std::string method_name;  ///< as sent: "GET", "PUT"
  std::string target;       ///< as sent, without scheme and authority
  std::string path;         ///< percent-decoded once, starts with '/', has no NUL, "." or ".." component
  std::string query;        ///< raw, after the '?'
  std::string host;         ///< Host header: "10.0.0.1:5000"; empty for HTTP/1.0 without one
  std::string range;
  std::string if_range;
  std::string if_none_match;
  std::string if_modified_since;
  std::string accept;
  std::string accept_encoding;  ///< of several header lines, joined by commas
  std::string user_agent;
  std::string peer;     ///< numeric address of the client
  bool secure = false;  ///< came over TLS
  bool keep_alive = true;
  bool is_http10 = false;
  bool has_body = false;  ///< a body is announced; we never read one

  /// The percent-decoded value of `key` in the query ('+' is a space); nullopt when absent. The first one
  /// counts.
  std::optional<std::string> query_value(std::string_view key) const;
};

/// A file a body is sent from, watched while it is sent. Thread-safe.
class BodyFile {
 public:
  virtual ~BodyFile() = default;
  virtual int descriptor() const = 0;
  /// False once somebody replaced or wrote to the file.
  virtual bool is_unchanged() const = 0;
};

struct FileBody {
  std::shared_ptr<const BodyFile> file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// `length` bytes from `first` on of the `size` bytes that a zstd frame in a file expands to.
struct ZstdBody {
  FileBody stored;
  std::uint64_t size = 0;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

/// Long work (reading and checking a blob) off the server's threads; calls `done` exactly once, on any
/// thread.
using Preparation = std::function<void(std::function<void(Status)> done)>;

/// The answer to a GET; for HEAD the server leaves the body out. Ranges, conditions and Content-Length are
/// added by respond.cpp.
struct Response {
  int status = 200;
  std::string content_type;
  std::string content_encoding;  ///< "zstd" when the body is the compressed form
  std::string headers;           ///< further header lines, each ending in "\r\n"
  std::string etag;              ///< with its quotes; empty: no conditional requests
  std::optional<Timestamp> last_modified;
  bool accepts_ranges = false;
  std::string body;  ///< used when none of the others is set
  std::shared_ptr<const std::string> shared_body;
  std::optional<FileBody> file;
  std::optional<ZstdBody> expanded;  ///< as a whole: first 0, length its size
  /// When set, nothing of this is sent: the server awaits it and then asks the handler again (which then
  /// usually has the content at hand), or answers with Handler::failure().
  Preparation prepare;
};

/// A plain text answer that ends in a newline.
Response text_response(int status, std::string_view text);

/// Answers requests; called on many threads at once and must not block.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual Response handle(const Request& request) const = 0;
  /// The answer when a preparation failed; plain text unless overridden.
  virtual Response failure(const Request& request, const Error& error) const;
};

/// 503 for what passes by itself (a shutdown, a bundle that was replaced), 404 for what is not there, else
/// 500.
int status_of(const Error& error);

/// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace sealift::repo_server::http
