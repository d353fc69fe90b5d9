/// Everything the server does with a client's bytes before it looks at a bundle. What must hold whatever they
/// are, holds or the process ends.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "repo-server/http/range.hpp"
#include "repo-server/http/request_parser.hpp"
#include "repo-server/http/target.hpp"
#include "repo-server/registry/names.hpp"
#include "repo-server/web/snippets.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// True when a line of the head has this name (lower case, with its colon).
bool has_field(std::string_view head, std::string_view name) {
  std::string lower(head);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower.find("\r\n" + std::string(name)) != std::string::npos;
}

void check_request(const sealift::repo_server::http::Request& request) {
  namespace http = sealift::repo_server::http;
  using namespace sealift::repo_server;
  require(request.path.starts_with('/'));
  require((request.path + "/").find("/../") == std::string::npos);
  for (const char c : request.path) require(static_cast<unsigned char>(c) >= 0x20);
  for (const char c : http::escape_log(request.target)) require(c >= 0x20 && c < 0x7f && c != '"');
  require(http::escape_html(request.path).find_first_of("<>\"'") == std::string::npos);
  require(http::percent_decode(http::encode_path(request.path)) == request.path);
  const std::string host = safe_host(request.host, "fallback");
  require(!host.empty() && host.find_first_of("<>\"' \r\n/") == std::string::npos);
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, UINT64_MAX}) {
    const auto decision = http::decide_range(request.range, size);
    if (decision.kind != http::RangeKind::partial) continue;
    require(decision.range.length > 0 && decision.range.first < size &&
            decision.range.length <= size - decision.range.first);
  }
  (void)http::matches_etag(request.if_none_match, "\"sha256:0\"");
  (void)request.query_value("ns");
  const auto asked = parse_registry_path(request.path);
  if (is_repository_name(asked.name)) require(asked.name.find("//") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace http = sealift::repo_server::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = http::find_head_end(text, 0);
  require(end <= size);
  const std::string_view head = end != 0 ? text.substr(0, end) : text;
  const auto parsed = http::parse_request_head(head);
  if (const auto* request = std::get_if<http::Request>(&parsed)) {
    check_request(*request);
    // What follows such a head is never taken for a request.
    if (has_field(head, "transfer-encoding:")) require(request->has_body);
  }
  return 0;
}
