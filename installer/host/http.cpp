#include "installer/host/http.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/files.hpp"
#include "lib/base/version.hpp"

namespace sealift::installer {

namespace {

using Milliseconds = std::chrono::milliseconds;
constexpr std::size_t kMaxHead = 64U << 10;
constexpr std::size_t kBuffer = 256U << 10;

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::string tls_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) return "the connection was closed";
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

/// Waits for `events`; false at the deadline or when told to stop.
Status wait_for(int fd, short events, Milliseconds timeout, const std::atomic<bool>* stop) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    pollfd waiting{fd, events, 0};
    if (::poll(&waiting, 1, 100) > 0) return {};
    if (stop != nullptr && stop->load()) return fail(ErrorCode::interrupted, "stopped on request");
    if (std::chrono::steady_clock::now() >= end) {
      return fail(ErrorCode::network, "no answer within {} ms", timeout.count());
    }
  }
}

Result<FileDescriptor> connect_to(const std::string& address, std::uint16_t port, Milliseconds timeout,
                                  const std::atomic<bool>* stop) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    length = sizeof *four;
  } else if (::inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    length = sizeof *six;
  } else {
    return fail(ErrorCode::invalid_argument, "{:?} is not a numeric address", address);
  }
  FileDescriptor socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno(errno, "cannot create a socket");
  const int one = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0 && errno != EINPROGRESS) {
    return fail(ErrorCode::network, "cannot connect to {} port {}: {}", address, port, std::strerror(errno));
  }
  TRY(within(wait_for(socket.get(), POLLOUT, timeout, stop),
             fmt::format("connecting to {} port {}", address, port)));
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    return fail(ErrorCode::network, "cannot connect to {} port {}: {}", address, port, std::strerror(error));
  return socket;
}

/// The stream below HTTP.
class Stream {
 public:
  static Result<Stream> open(const HttpGet& request, const NumericUrl& url) {
    Stream stream(request);
    TRY_ASSIGN(stream.socket_, connect_to(url.host, url.port, request.connect_timeout, request.stop));
    if (url.tls) TRY(stream.start_tls(url));
    return stream;
  }

  Status write(std::string_view data) {
    while (!data.empty()) {
      const std::ptrdiff_t count = ssl_ ? SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size()))
                                        : ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (count > 0) {
        data.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      TRY(wait_again(static_cast<int>(count), POLLOUT, "cannot send"));
    }
    return {};
  }

  /// 0 at the end.
  Result<std::size_t> read(char* buffer, std::size_t size) {
    for (;;) {
      const std::ptrdiff_t count = ssl_ ? SSL_read(ssl_.get(), buffer, static_cast<int>(size))
                                        : ::recv(socket_.get(), buffer, size, 0);
      if (count > 0) return static_cast<std::size_t>(count);
      if (count == 0 && !ssl_) return 0;
      if (ssl_ && SSL_get_error(ssl_.get(), static_cast<int>(count)) == SSL_ERROR_ZERO_RETURN) return 0;
      TRY(wait_again(static_cast<int>(count), POLLIN, "cannot receive"));
    }
  }

 private:
  explicit Stream(const HttpGet& request) : request_(&request) {}

  Status wait_again(int result, short plain_events, std::string_view doing) {
    short events = plain_events;
    if (ssl_) {
      const int error = SSL_get_error(ssl_.get(), result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        return fail(ErrorCode::network, "{}: {}", doing, tls_error());
      }
      events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail(ErrorCode::network, "{}: {}", doing, std::strerror(errno));
    }
    return wait_for(socket_.get(), events, request_->idle_timeout, request_->stop);
  }

  Status trust(SSL_CTX* context) {
    const std::unique_ptr<BIO, BioFree> bio(
        BIO_new_mem_buf(request_->ca_pem.data(), static_cast<int>(request_->ca_pem.size())));
    unsigned count = 0;
    for (;;) {
      const std::unique_ptr<X509, X509Free> certificate(
          PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
      if (!certificate) break;
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
      ++count;
    }
    ERR_clear_error();
    if (count == 0)
      return fail(ErrorCode::untrusted, "no certificate authority was given to check the server with");
    return {};
  }

  Status start_tls(const NumericUrl& url) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_) return fail(ErrorCode::internal, "TLS: {}", tls_error());
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    const bool verify = request_->verification == Verification::ca;
    if (verify) TRY(trust(context_.get()));
    SSL_CTX_set_verify(context_.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    ssl_.reset(SSL_new(context_.get()));
    if (!ssl_) return fail(ErrorCode::internal, "TLS: {}", tls_error());
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), url.host.c_str());
    SSL_set_fd(ssl_.get(), socket_.get());
    for (;;) {
      const int result = SSL_connect(ssl_.get());
      if (result == 1) return {};
      const long verdict = SSL_get_verify_result(ssl_.get());
      if (verify && verdict != X509_V_OK) {
        return fail(ErrorCode::untrusted, "the certificate of {} port {} is not trusted: {}", url.host,
                    url.port, X509_verify_cert_error_string(verdict));
      }
      TRY(wait_again(result, POLLIN, "TLS handshake"));
    }
  }

  const HttpGet* request_;
  FileDescriptor socket_;
  std::unique_ptr<SSL_CTX, SslContextFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
};

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

Result<Head> read_head(Stream& stream) {
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
Status read_chunks(Stream& stream, std::string text, Sink& body) {
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

Status read_body(Stream& stream, const Head& head, Sink& body) {
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
  TRY_ASSIGN(Stream stream, within(Stream::open(request, url), request.url));
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

Status try_connect(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout) {
  TRY(connect_to(address, port, timeout, nullptr));
  return {};
}

}  // namespace sealift::installer
