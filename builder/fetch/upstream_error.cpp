#include "builder/fetch/upstream_error.hpp"

#include "lib/base/json.hpp"

namespace sealift::builder {

namespace {

constexpr std::size_t kMaxQuoted = 200;

/// One line without control characters: the text comes from outside and goes to a terminal.
std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n' && !result.empty()) break;
    if (result.size() >= kMaxQuoted) break;
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7F) result += c;
  }
  return result;
}

}  // namespace

std::string upstream_message(std::string_view body) {
  const auto value = json::parse(body, "error");
  if (!value) return body.starts_with('<') ? "" : printable(body);
  std::string result;
  const auto root = json::Reader::of(*value, "error");
  if (!root) return "";
  // An answer of another shape has no message we know.
  (void)root->each("errors", [&](const json::Reader& item) -> Status {
    TRY_ASSIGN(const std::string code, item.string_or("code", ""));
    TRY_ASSIGN(const std::string message, item.string_or("message", ""));
    if (result.empty()) result = printable(code + (message.empty() ? "" : ": " + message));
    return {};
  });
  return result;
}

tl::unexpected<Error> upstream_error(const net::Response& response, std::string_view what,
                                     std::string_view login_hint) {
  const int status = response.status;
  const std::string said = upstream_message(response.error_body);
  const std::string answer =
      fmt::format("HTTP {} from {}{}{}", status, response.url.origin(), said.empty() ? "" : ": ", said);
  if (status == 401 || status == 403) {
    return fail(
        ErrorCode::authentication, "{}: refused ({}); {}", what, answer,
        login_hint.empty() ? "check that the URL is public or carries what its server asks for" : login_hint);
  }
  if (status == 404 || status == 410)
    return fail(ErrorCode::not_found, "{}: not found ({}); check the name", what, answer);
  if (status == 416)
    return fail(ErrorCode::integrity, "{}: upstream has fewer bytes than expected ({})", what, answer);
  if (status == 429) {
    return fail(ErrorCode::network,
                "{}: too many requests ({}); log in to raise the limit, wait, or fetch through a mirror rule",
                what, answer);
  }
  if (status >= 500 || status == 408 || status == 425) {
    return fail(ErrorCode::network,
                "{}: the server has a problem ({}); try again later or use another mirror", what, answer);
  }
  return fail(ErrorCode::unsupported, "{}: unexpected answer ({})", what, answer);
}

}  // namespace sealift::builder
