/// One client's byte stream, plain or TLS, on a non-blocking socket. Used by its worker's thread only.
///
/// Plain bodies go from the page cache to the socket with sendfile(2). TLS bodies are read in pieces into a
/// buffer the worker's connections share: nothing in it has to outlive one call, so memory does not grow with
/// connections.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "repo-server/http/message.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace sealift::repo_server::http {

class Transport {
 public:
  /// `scratch` is the worker's shared buffer; `progress` is told of bytes that left, so that deadlines can
  /// move.
  Transport(boost::asio::ip::tcp::socket socket, std::span<char> scratch,
            std::function<void(std::uint64_t)> progress);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Looks at the first byte without taking it: 0x16 begins a TLS handshake. Negative when the client is
  /// gone.
  boost::asio::awaitable<int> peek();
  /// Serves TLS from here on; false when the handshake fails.
  boost::asio::awaitable<bool> start_tls(ssl_ctx_st& context);
  bool is_tls() const { return tls_ != nullptr; }

  /// At least one byte; 0 at the end, on an error and after cancel().
  boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer);
  /// Everything or false. Both parts leave in as few packets and records as possible.
  boost::asio::awaitable<bool> write(std::string_view first, std::string_view second, bool more_follows);
  /// The whole piece, or false: then the stream is broken off, the client sees a short body. With few readers
  /// it is sent as fast as it can be taken, with many at the least expense.
  boost::asio::awaitable<bool> send_file(FileBody body, bool few_readers);
  /// Says goodbye and waits a little for the client to read what was sent; for answers given before the
  /// request was read.
  boost::asio::awaitable<void> linger();
  /// True once the client has closed its side or reset the connection; looks without waiting.
  bool is_closed_by_client();

  /// Makes a waiting operation fail.
  void cancel();
  /// Breaks the stream off at once.
  void abort();

 private:
  boost::asio::awaitable<bool> write_plain(std::string_view first, std::string_view second,
                                           bool more_follows);
  boost::asio::awaitable<bool> write_tls(std::string_view data);
  boost::asio::awaitable<bool> send_file_plain(const FileBody& body, bool few_readers);
  boost::asio::awaitable<bool> send_file_tls(const FileBody& body);
  boost::asio::awaitable<bool> wait(boost::asio::ip::tcp::socket::wait_type what);
  /// After an SSL call returned `result`: waits for what it wants; false when the connection is of no more
  /// use.
  boost::asio::awaitable<bool> wait_tls(int result);

  boost::asio::ip::tcp::socket socket_;
  std::span<char> scratch_;
  std::function<void(std::uint64_t)> progress_;
  struct TlsDeleter {
    void operator()(ssl_st* tls) const;
  };
  std::unique_ptr<ssl_st, TlsDeleter> tls_;
};

}  // namespace sealift::repo_server::http
