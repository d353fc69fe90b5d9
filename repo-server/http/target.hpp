/// Request targets (RFC 9112 section 3.2, RFC 3986): taken apart, decoded once, confined.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sealift::repo_server::http {

struct Target {
  std::string path;   ///< decoded, starts with '/'
  std::string query;  ///< raw
};

/// Splits origin form ("/a/b?c") and absolute form ("http://host/a"); nullopt for anything else, for a
/// malformed percent escape, a decoded NUL or control character, and for a path with a "." or ".." component.
std::optional<Target> parse_target(std::string_view target);

/// Decodes %XX; nullopt when an escape is malformed.
std::optional<std::string> percent_decode(std::string_view text);
/// As a query value: '+' is a space; a malformed escape stays as it is written.
std::string decode_query(std::string_view text);
/// Encodes everything but unreserved characters and '/': for links to paths.
std::string encode_path(std::string_view path);
/// Encodes everything but unreserved characters: for query values.
std::string encode_query_value(std::string_view value);
/// For text and attribute values of HTML: & < > " '.
std::string escape_html(std::string_view text);
/// For one line of a log: control characters, quotes, backslashes and bytes above 0x7e become \xNN.
std::string escape_log(std::string_view text);

}  // namespace sealift::repo_server::http
