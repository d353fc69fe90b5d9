#include "repo-server/http/transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace sealift::repo_server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// How much one connection may send before others of its worker get a turn, and how often the file is looked
/// at for changes.
constexpr std::uint64_t kFilePieceBytes = 1U << 20;
constexpr std::size_t kLingerBytes = 256 * 1024;
/// Packets of a network are smaller, those of the loopback interface larger.
constexpr int kLoopbackSegmentBytes = 16 * 1024;
constexpr int kShortQueueBytes = 16 * 1024;
/// Whole pages, as the kernel sends a file, that fit into one packet of the loopback interface (65483 bytes).
/// More at a time, and nearly every second packet is the few bytes that did not fit.
constexpr std::uint64_t kLoopbackPacketBytes = 15 * 4096;

/// How the kernel queues a body (tcp(7)); tests/bench/serve measures both cases. Before and after it: as the
/// system is set.
class Queueing {
 public:
  Queueing(int socket, bool few_readers) : socket_(socket) {
    int segment = 0;
    socklen_t size = sizeof segment;
    if (::getsockopt(socket_, IPPROTO_TCP, TCP_MAXSEG, &segment, &size) != 0) return;
    if (segment < kLoopbackSegmentBytes) {
      // sendfile(2) fills the queue in portions of 64 KiB, which are no whole number of packets: full ones
      // only.
      set(TCP_CORK, 1);
    } else if (few_readers) {
      // What is sent at once is still in the processor's cache.
      set(TCP_NOTSENT_LOWAT, kShortQueueBytes);
      portion_ = kLoopbackPacketBytes;
    }
  }
  ~Queueing() {
    if (option_ != 0) set(option_, 0);
  }
  Queueing(const Queueing&) = delete;
  Queueing& operator=(const Queueing&) = delete;

  /// Bytes for one call of sendfile(2).
  std::uint64_t portion() const { return portion_; }

 private:
  void set(int option, int value) {
    option_ = option;
    ::setsockopt(socket_, IPPROTO_TCP, option, &value, sizeof value);
  }

  int socket_;
  int option_ = 0;
  std::uint64_t portion_ = kFilePieceBytes;
};

}  // namespace

void Transport::TlsDeleter::operator()(ssl_st* tls) const { SSL_free(tls); }

Transport::Transport(tcp::socket socket, std::span<char> scratch, std::function<void(std::uint64_t)> progress)
    : socket_(std::move(socket)), scratch_(scratch), progress_(std::move(progress)) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
}

Transport::~Transport() = default;

asio::awaitable<int> Transport::peek() {
  boost::system::error_code error;
  unsigned char first = 0;
  const std::size_t got = co_await socket_.async_receive(asio::buffer(&first, 1), MSG_PEEK,
                                                         asio::redirect_error(asio::use_awaitable, error));
  co_return error || got == 0 ? -1 : first;
}

asio::awaitable<bool> Transport::start_tls(ssl_ctx_st& context) {
  tls_.reset(SSL_new(&context));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_.native_handle()) != 1) co_return false;
  SSL_set_accept_state(tls_.get());
  while (true) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) co_return true;
    if (!co_await wait_tls(result)) co_return false;
  }
}

asio::awaitable<std::size_t> Transport::read_some(std::span<char> buffer) {
  if (!tls_) {
    boost::system::error_code error;
    const std::size_t got = co_await socket_.async_read_some(
        asio::buffer(buffer.data(), buffer.size()), asio::redirect_error(asio::use_awaitable, error));
    co_return error ? 0 : got;
  }
  // A client that sends without a pause never makes this wait: the worker's clock and its other connections
  // get their turn here.
  co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  while (true) {
    ERR_clear_error();
    const int got = SSL_read(tls_.get(), buffer.data(),
                             static_cast<int>(std::min<std::size_t>(buffer.size(), INT32_MAX)));
    if (got > 0) co_return static_cast<std::size_t>(got);
    if (!co_await wait_tls(got)) co_return 0;
  }
}

asio::awaitable<bool> Transport::write(std::string_view first, std::string_view second, bool more_follows) {
  if (!tls_) co_return co_await write_plain(first, second, more_follows);
  if (!second.empty() && first.size() + second.size() <= scratch_.size()) {
    // One record instead of two. The copy must not live in scratch_: another connection may use that while
    // this one waits.
    std::string joined;
    joined.reserve(first.size() + second.size());
    joined.append(first).append(second);
    co_return co_await write_tls(joined);
  }
  if (!co_await write_tls(first)) co_return false;
  if (second.empty()) co_return true;
  co_return co_await write_tls(second);
}

asio::awaitable<bool> Transport::write_plain(std::string_view first, std::string_view second,
                                             bool more_follows) {
  const int flags = MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0);
  while (!first.empty() || !second.empty()) {
    std::array<iovec, 2> parts = {
        {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, flags);
    if (sent >= 0) {
      const auto count = static_cast<std::size_t>(sent);
      const std::size_t of_first = std::min(count, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(count - of_first);
      progress_(count);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return false;
    if (!co_await wait(tcp::socket::wait_write)) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Transport::write_tls(std::string_view data) {
  while (!data.empty()) {
    ERR_clear_error();
    const int sent =
        SSL_write(tls_.get(), data.data(), static_cast<int>(std::min<std::size_t>(data.size(), INT32_MAX)));
    if (sent > 0) {
      data.remove_prefix(static_cast<std::size_t>(sent));
      progress_(static_cast<std::uint64_t>(sent));
      continue;
    }
    if (!co_await wait_tls(sent)) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Transport::send_file(FileBody body, bool few_readers) {
  // g++ 12 evaluates both sides of `?:` around co_await: plain statements throughout this file.
  if (tls_) co_return co_await send_file_tls(body);
  co_return co_await send_file_plain(body, few_readers);
}

asio::awaitable<bool> Transport::send_file_plain(const FileBody& body, bool few_readers) {
  const Queueing queueing(socket_.native_handle(), few_readers);
  auto offset = static_cast<off_t>(body.offset);
  std::uint64_t left = body.size;
  while (left > 0) {
    if (!body.file->is_unchanged()) co_return false;
    for (std::uint64_t piece = 0; left > 0 && piece < kFilePieceBytes;) {
      const std::uint64_t asked = std::min(left, queueing.portion());
      const ssize_t sent = ::sendfile(socket_.native_handle(), body.file->descriptor(), &offset, asked);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) break;
      if (sent <= 0) co_return false;
      progress_(static_cast<std::uint64_t>(sent));
      left -= static_cast<std::uint64_t>(sent);
      piece += static_cast<std::uint64_t>(sent);
      // A short count means a full socket: waiting now saves the call that would only say so.
      if (static_cast<std::uint64_t>(sent) < asked) break;
    }
    if (left == 0) co_return true;
    if (!co_await wait(tcp::socket::wait_write)) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Transport::send_file_tls(const FileBody& body) {
  std::uint64_t offset = body.offset;
  std::uint64_t left = body.size;
  std::uint64_t since_check = kFilePieceBytes;
  while (left > 0) {
    if (since_check >= kFilePieceBytes) {
      if (!body.file->is_unchanged()) co_return false;
      since_check = 0;
      // Lets the worker's other connections run between pieces even when this client is always ready.
      if (offset != body.offset) {
        if (!co_await wait(tcp::socket::wait_write)) co_return false;
      }
    }
    const ssize_t got = ::pread(body.file->descriptor(), scratch_.data(),
                                std::min<std::uint64_t>(left, scratch_.size()), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) co_return false;
    ssize_t written = 0;
    while (written < got) {
      ERR_clear_error();
      const int sent = SSL_write(tls_.get(), scratch_.data() + written, static_cast<int>(got - written));
      if (sent > 0) {
        written += sent;
        progress_(static_cast<std::uint64_t>(sent));
        continue;
      }
      // After waiting the scratch buffer may hold another connection's bytes: read this place again. OpenSSL
      // wants the repeated call to have at least the length of the first
      // (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER), which reading from the same offset gives.
      if (!co_await wait_tls(sent)) co_return false;
      break;
    }
    offset += static_cast<std::uint64_t>(written);
    left -= static_cast<std::uint64_t>(written);
    since_check += static_cast<std::uint64_t>(written);
  }
  co_return true;
}

asio::awaitable<void> Transport::linger() {
  if (tls_) SSL_shutdown(tls_.get());
  ::shutdown(socket_.native_handle(), SHUT_WR);
  std::array<char, 4096> discarded{};
  boost::system::error_code error;
  for (std::size_t total = 0; total < kLingerBytes && !error;) {
    total += co_await socket_.async_read_some(asio::buffer(discarded),
                                              asio::redirect_error(asio::use_awaitable, error));
  }
}

bool Transport::is_closed_by_client() {
  pollfd look{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0;
}

void Transport::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::abort() {
  // What the client does not take must not stay in the kernel's buffers: closing becomes a reset.
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
  cancel();
}

asio::awaitable<bool> Transport::wait(tcp::socket::wait_type what) {
  boost::system::error_code error;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

asio::awaitable<bool> Transport::wait_tls(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      co_return co_await wait(tcp::socket::wait_read);
    case SSL_ERROR_WANT_WRITE:
      co_return co_await wait(tcp::socket::wait_write);
    default:
      co_return false;
  }
}

}  // namespace sealift::repo_server::http
