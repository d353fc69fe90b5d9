#include "repo-server/http/message.hpp"

#include "repo-server/http/target.hpp"

namespace sealift::repo_server::http {

std::optional<std::string> Request::query_value(std::string_view key) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (decode_query(pair.substr(0, equals)) != key) continue;
    return equals == std::string_view::npos ? std::string() : decode_query(pair.substr(equals + 1));
  }
  return std::nullopt;
}

Response text_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::string(text);
  if (response.body.empty() || response.body.back() != '\n') response.body += '\n';
  return response;
}

Response Handler::failure(const Request&, const Error& error) const {
  return text_response(status_of(error), error.message());
}

int status_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::conflict:
    case ErrorCode::interrupted:
      return 503;
    case ErrorCode::not_found:
      return 404;
    default:
      return 500;
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 416:
      return "Range Not Satisfiable";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace sealift::repo_server::http
