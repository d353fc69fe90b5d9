#include "repo-server/http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "repo-server/http/target.hpp"

namespace sealift::repo_server::http {
namespace {

namespace beast_http = boost::beast::http;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

BadRequest describe(const boost::beast::error_code& error) {
  if (error == beast_http::error::header_limit) return {431, "the request's header is too large"};
  if (error == beast_http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "the request is malformed"};
}

using Parser = beast_http::request_parser<beast_http::empty_body>;

/// True when nobody can say where the request's body ends, and so where the next request begins: the last
/// transfer coding is not chunked, or there is a length beside it (RFC 9112 section 6.3). Beast leaves the
/// first to its caller.
bool is_end_of_body_unknown(const Parser& parser) {
  const auto& fields = parser.get();
  if (fields.find(beast_http::field::transfer_encoding) == fields.end()) return false;
  return !parser.chunked() || fields.find(beast_http::field::content_length) != fields.end();
}

}  // namespace

std::size_t find_head_end(std::string_view data, std::size_t from) {
  const auto end = data.find("\r\n\r\n", from < 3 ? 0 : from - 3);
  return end == std::string_view::npos ? 0 : end + 4;
}

std::variant<Request, BadRequest> parse_request_head(std::string_view head) {
  Parser parser;
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(boost::none);
  parser.eager(false);
  boost::beast::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error) return describe(error);
  if (!parser.is_header_done() || used != head.size()) return BadRequest{400, "the request is malformed"};
  if (is_end_of_body_unknown(parser))
    return BadRequest{400, "the request's Transfer-Encoding does not say where its body ends"};

  const auto& message = parser.get();
  Request request;
  request.method = message.method() == beast_http::verb::get    ? Method::get
                   : message.method() == beast_http::verb::head ? Method::head
                                                                : Method::other;
  request.method_name = text(message.method_string());
  request.target = text(message.target());
  request.keep_alive = message.keep_alive();
  request.is_http10 = message.version() == 10;
  request.has_body = parser.chunked() || parser.content_length_remaining().value_or(0) > 0;
  for (const auto& field : message) {
    switch (field.name()) {
      case beast_http::field::host:
        if (!request.host.empty()) return BadRequest{400, "the request has two Host headers"};
        request.host = text(field.value());
        break;
      case beast_http::field::range:
        request.range = text(field.value());
        break;
      case beast_http::field::if_range:
        request.if_range = text(field.value());
        break;
      case beast_http::field::if_none_match:
        request.if_none_match = text(field.value());
        break;
      case beast_http::field::if_modified_since:
        request.if_modified_since = text(field.value());
        break;
      case beast_http::field::accept:
        request.accept = text(field.value());
        break;
      case beast_http::field::accept_encoding:
        if (!request.accept_encoding.empty()) request.accept_encoding += ',';
        request.accept_encoding += text(field.value());
        break;
      case beast_http::field::user_agent:
        request.user_agent = text(field.value());
        break;
      default:
        break;
    }
  }
  if (request.host.empty() && message.version() == 11)
    return BadRequest{400, "the request has no Host header"};
  if (request.target == "*") request.target = "/";
  auto target = parse_target(request.target);
  if (!target) return BadRequest{400, "the request's target is malformed"};
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  return request;
}

}  // namespace sealift::repo_server::http
