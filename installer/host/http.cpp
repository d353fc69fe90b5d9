#include "installer/host/http.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <arpa/inet.h>

#include "installer/host/http_stream.hpp"
#include "lib/base/version.hpp"

namespace sealift::installer {

namespace {

constexpr std::size_t kMaxHead = 64U << 10;
constexpr std::size_t kBuffer = 256U << 10;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return result;
}

struct Head {
  HttpAnswer answer;
  bool chunked = false;
  std::string rest;  ///< of the body, read together with the head
};

Result<Head> parse_head(const std::string& text, std::size_t end) {
  Head head;
  head.rest = text.substr(end + 4);
  if (!text.starts_with("HTTP/1.") || text.size() < 12)
    return fail(ErrorCode::network, "the answer is not HTTP/1");
  std::from_chars(text.data() + 9, text.data() + 12, head.answer.status);
  for (std::size_t at = text.find("\r\n"); at < end;) {
    const std::size_t next = text.find("\r\n", at + 2);
    const std::string line = text.substr(at + 2, next - at - 2);
    at = next;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = lower(line.substr(0, colon));
    std::string value = line.substr(colon + 1);
    value.erase(0, value.find_first_not_of(" \t"));
    if (name == "transfer-encoding" && lower(value).find("chunked") != std::string::npos) head.chunked = true;
    if (name == "content-length") {
      std::uint64_t size = 0;
      const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (error != std::errc{} || stop == value.data())
        return fail(ErrorCode::network, "bad Content-Length {:?}", value);
      head.answer.size = size;
    }
  }
  return head;
}

Result<Head> read_head(HttpStream& stream) {
  std::string text;
  std::vector<char> buffer(16U << 10);
  for (;;) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos) return parse_head(text, end);
    if (text.size() > kMaxHead) return fail(ErrorCode::network, "the answer's head is too long");
    TRY_ASSIGN(const std::size_t count, stream.read(buffer.data(), buffer.size()));
    if (count == 0) return fail(ErrorCode::network, "the connection was closed before the answer");
    text.append(buffer.data(), count);
  }
}

/// Kubernetes' health answers may come in chunks; files of the mirror never do, so this one is small and kept
/// in memory.
Status read_chunks(HttpStream& stream, std::string text, Sink& body) {
  std::vector<char> buffer(16U << 10);
  std::size_t at = 0;
  const auto need = [&](std::size_t end) -> Status {
    while (text.size() < end) {
      if (text.size() > (16U << 20)) return fail(ErrorCode::network, "the answer in chunks is too long");
      TRY_ASSIGN(const std::size_t count, stream.read(buffer.data(), buffer.size()));
      if (count == 0) return fail(ErrorCode::network, "the connection was closed within the body");
      text.append(buffer.data(), count);
    }
    return {};
  };
  for (;;) {
    std::size_t line = text.find("\r\n", at);
    while (line == std::string::npos) {
      TRY(need(text.size() + 1));
      line = text.find("\r\n", at);
    }
    std::uint64_t size = 0;
    const auto [stop, error] = std::from_chars(text.data() + at, text.data() + line, size, 16);
    if (error != std::errc{} || size > (16U << 20))
      return fail(ErrorCode::network, "bad chunk in the answer");
    if (size == 0) return {};
    TRY(need(line + 2 + size + 2));
    TRY(body.write(as_bytes(std::string_view(text).substr(line + 2, size))));
    at = line + 2 + size + 2;
  }
}

Status read_body(HttpStream& stream, const Head& head, Sink& body) {
  if (head.chunked) return read_chunks(stream, head.rest, body);
  std::uint64_t left = head.answer.size.value_or(UINT64_MAX);
  const std::string_view first =
      std::string_view(head.rest).substr(0, std::min<std::uint64_t>(left, head.rest.size()));
  TRY(body.write(as_bytes(first)));
  left -= first.size();
  std::vector<char> buffer(kBuffer);
  while (left > 0) {
    TRY_ASSIGN(const std::size_t count,
               stream.read(buffer.data(), std::min<std::uint64_t>(buffer.size(), left)));
    if (count == 0 && !head.answer.size) return {};
    if (count == 0)
      return fail(ErrorCode::network, "the connection was closed with {} bytes still to come", left);
    TRY(body.write(as_bytes(std::string_view(buffer.data(), count))));
    left -= count;
  }
  return {};
}

class DropSink final : public Sink {
 public:
  Status write(Bytes) override { return {}; }
};

}  // namespace

Result<NumericUrl> parse_numeric_url(const std::string& url) {
  NumericUrl result;
  std::string_view rest = url;
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument, "the address {:?} {}", url, why);
  };
  if (rest.starts_with("https://")) {
    result.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad("does not begin with http:// or https://");
  }
  if (url.find_first_of(" \r\n\t") != std::string::npos) return bad("has white space in it");
  const std::size_t slash = rest.find('/');
  result.target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  std::string_view authority = rest.substr(0, slash);
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad("has no closing bracket");
    result.host = std::string(authority.substr(1, close - 1));
    authority.remove_prefix(close + 1);
    if (authority.starts_with(':')) port = authority.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    result.host = std::string(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  result.port = result.tls ? 443 : 80;
  if (!port.empty()) {
    const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (error != std::errc{} || stop != port.data() + port.size() || result.port == 0)
      return bad("has a bad port");
  }
  in6_addr ignored{};
  if (::inet_pton(AF_INET, result.host.c_str(), &ignored) != 1 &&
      ::inet_pton(AF_INET6, result.host.c_str(), &ignored) != 1) {
    return bad("needs a numeric host");
  }
  return result;
}

Result<HttpAnswer> http_get(const HttpGet& request, Sink& body) {
  TRY_ASSIGN(const NumericUrl url, parse_numeric_url(request.url));
  TRY_ASSIGN(HttpStream stream, within(HttpStream::open(request, url), request.url));
  const bool six = url.host.find(':') != std::string::npos;
  TRY(within(stream.write(fmt::format(
                 "GET {} HTTP/1.1\r\nHost: {}{}{}:{}\r\nUser-Agent: sealift-agent/{}\r\nAccept: */*\r\n"
                 "Connection: close\r\n\r\n",
                 url.target, six ? "[" : "", url.host, six ? "]" : "", url.port, kSealiftVersion)),
             request.url));
  TRY_ASSIGN(const Head head, within(read_head(stream), request.url));
  DropSink drop;
  Sink& sink = head.answer.status == 200 ? body : static_cast<Sink&>(drop);
  // What an error page says is of no interest, nor whether it arrived whole.
  if (head.answer.status == 200) TRY(within(read_body(stream, head, sink), request.url));
  return head.answer;
}

}  // namespace sealift::installer
