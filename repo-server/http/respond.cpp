#include "repo-server/http/respond.hpp"

#include <fmt/format.h>

#include "repo-server/http/range.hpp"

namespace sealift::repo_server::http {
namespace {

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

std::uint64_t full_size(const Response& response) {
  if (response.file) return response.file->size;
  if (response.expanded) return response.expanded->size;
  return response.shared_body ? response.shared_body->size() : response.body.size();
}

bool is_not_modified(const Request& request, const Response& response, std::string_view last_modified) {
  if (response.status != 200) return false;
  if (!request.if_none_match.empty()) return matches_etag(request.if_none_match, response.etag);
  // Clients send back the date we gave; RFC 9110 section 13.1.3 lets an origin compare for equality.
  return !last_modified.empty() && request.if_modified_since == last_modified;
}

/// The range to honour: only GET has ranges (RFC 9110 section 14.2), and If-Range must name exactly what we
/// have.
RangeDecision applicable_range(const Request& request, const Response& response,
                               std::string_view last_modified) {
  if (request.method != Method::get || !response.accepts_ranges || response.status != 200 ||
      request.range.empty())
    return {};
  if (!request.if_range.empty() && request.if_range != response.etag &&
      (last_modified.empty() || request.if_range != last_modified))
    return {};
  return decide_range(request.range, full_size(response));
}

/// Cuts the body down to the range.
void take_body(Prepared& out, Response& response, const ByteRange& range) {
  if (response.file) {
    out.file = FileBody{std::move(response.file->file), response.file->offset + range.first, range.length};
    return;
  }
  if (response.expanded) {
    out.expanded = std::move(response.expanded);
    out.expanded->first = range.first;
    out.expanded->length = range.length;
    return;
  }
  if (response.shared_body) {
    out.shared_text = std::move(response.shared_body);
    out.text = std::string_view(*out.shared_text).substr(range.first, range.length);
    return;
  }
  out.owned_text = std::move(response.body);
  out.text = std::string_view(out.owned_text).substr(range.first, range.length);
}

}  // namespace

std::unique_ptr<Prepared> prepare_response(const Request& request, Response response, std::string_view date,
                                           bool keep_alive) {
  auto out = std::make_unique<Prepared>();
  const std::string last_modified =
      response.last_modified ? format_rfc5322(*response.last_modified, "GMT") : std::string();
  const std::uint64_t size = full_size(response);
  const bool not_modified = is_not_modified(request, response, last_modified);
  const RangeDecision range =
      not_modified ? RangeDecision{} : applicable_range(request, response, last_modified);

  out->status = not_modified                             ? 304
                : range.kind == RangeKind::partial       ? 206
                : range.kind == RangeKind::unsatisfiable ? 416
                                                         : response.status;
  out->keep_alive = keep_alive;
  std::string& head = out->head;
  head.reserve(384 + response.headers.size());
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", out->status, reason_phrase(out->status));
  append_header(head, "Server", "sealift");
  append_header(head, "Date", date);
  if (!response.etag.empty()) append_header(head, "ETag", response.etag);
  if (!last_modified.empty()) append_header(head, "Last-Modified", last_modified);
  if (response.accepts_ranges) append_header(head, "Accept-Ranges", "bytes");
  head += response.headers;
  if (range.kind == RangeKind::unsatisfiable) {
    fmt::format_to(std::back_inserter(head), "Content-Range: bytes */{}\r\nContent-Length: 0\r\n", size);
  } else if (!not_modified) {
    const ByteRange part = range.kind == RangeKind::partial ? range.range : ByteRange{0, size};
    if (range.kind == RangeKind::partial) {
      fmt::format_to(std::back_inserter(head), "Content-Range: bytes {}-{}/{}\r\n", part.first,
                     part.first + part.length - 1, size);
    }
    if (!response.content_type.empty()) append_header(head, "Content-Type", response.content_type);
    if (!response.content_encoding.empty())
      append_header(head, "Content-Encoding", response.content_encoding);
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", part.length);
    if (request.method != Method::head) take_body(*out, response, part);
  }
  if (!keep_alive) append_header(head, "Connection", "close");
  if (keep_alive && request.is_http10) append_header(head, "Connection", "keep-alive");
  head += "\r\n";
  return out;
}

std::string render_refusal(int status, std::string_view reason, std::string_view date) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nServer: sealift\r\nDate: {}\r\nContent-Type: text/plain; "
      "charset=utf-8\r\nContent-Length: {}\r\nConnection: "
      "close\r\n\r\n{}\n",
      status, reason_phrase(status), date, reason.size() + 1, reason);
}

}  // namespace sealift::repo_server::http
