#include "installer/host/http_stream.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

namespace sealift::installer {

namespace {

using Milliseconds = std::chrono::milliseconds;

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

}  // namespace

void SslDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void SslDeleter::operator()(bio_st* bio) const { BIO_free(bio); }
void SslDeleter::operator()(x509_st* certificate) const { X509_free(certificate); }

Result<HttpStream> HttpStream::open(const HttpGet& request, const NumericUrl& url) {
  HttpStream stream(request);
  TRY_ASSIGN(stream.socket_, connect_to(url.host, url.port, request.connect_timeout, request.stop));
  if (url.tls) TRY(stream.start_tls(url));
  return stream;
}

Status HttpStream::write(std::string_view data) {
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

Result<std::size_t> HttpStream::read(char* buffer, std::size_t size) {
  for (;;) {
    const std::ptrdiff_t count =
        ssl_ ? SSL_read(ssl_.get(), buffer, static_cast<int>(size)) : ::recv(socket_.get(), buffer, size, 0);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0 && !ssl_) return 0;
    if (ssl_ && SSL_get_error(ssl_.get(), static_cast<int>(count)) == SSL_ERROR_ZERO_RETURN) return 0;
    TRY(wait_again(static_cast<int>(count), POLLIN, "cannot receive"));
  }
}

Status HttpStream::wait_again(int result, short plain_events, std::string_view doing) {
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

Status HttpStream::trust(ssl_ctx_st* context) {
  const std::unique_ptr<BIO, SslDeleter> bio(
      BIO_new_mem_buf(request_->ca_pem.data(), static_cast<int>(request_->ca_pem.size())));
  unsigned count = 0;
  for (;;) {
    const std::unique_ptr<X509, SslDeleter> certificate(
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

Status HttpStream::start_tls(const NumericUrl& url) {
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

Status try_connect(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout) {
  TRY(connect_to(address, port, timeout, nullptr));
  return {};
}

}  // namespace sealift::installer
