/// One client's connection: requests in, answers out, in order, until either side has had enough. Internal to
/// http/.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "repo-server/http/respond.hpp"
#include "repo-server/http/server.hpp"
#include "repo-server/http/transport.hpp"

namespace sealift::repo_server::http {

class Connection;

/// What the connections of one thread share. Touched by that thread only, except `context`.
struct Worker {
  Worker(const Limits& worker_limits, TlsMode worker_mode, TlsContext worker_tls, const AccessLog& access_log,
         Statistics& worker_statistics)
      : limits(worker_limits),
        mode(worker_mode),
        tls(std::move(worker_tls)),
        statistics(worker_statistics),
        log(access_log) {}

  const Limits limits;
  const TlsMode mode;
  TlsContext tls;  ///< of the connections to come
  Statistics& statistics;
  boost::asio::io_context context{1};
  AccessLogBuffer log;
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  std::list<Connection*> connections;
  bool stopping = false;

  /// The values of now for a Date header and for the log, made once a second.
  const std::string& http_date();
  const std::string& rfc3339();

 private:
  void refresh();
  Timestamp second_{};
  std::string http_date_;
  std::string rfc3339_;
};

class Connection {
 public:
  Connection(Worker& worker, boost::asio::ip::tcp::socket socket, const Handler& handler);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs until the end of the connection.
  boost::asio::awaitable<void> serve();

  /// Called by the worker's clock: ends what has taken too long.
  void check_deadline(std::chrono::steady_clock::time_point now);
  /// Graceful stop: an idle connection ends now, a busy one after its answer.
  void finish();
  void abort();

 private:
  enum class State { starting, idle, reading, preparing, sending };

  boost::asio::awaitable<bool> negotiate();
  /// Reads until a whole head is in buffer_; its length, or 0 at the end of the connection. Empty lines
  /// before it count as part of it.
  boost::asio::awaitable<std::size_t> read_head();
  boost::asio::awaitable<bool> answer(const Request& request);
  /// The handler's answer, after whatever had to be prepared.
  boost::asio::awaitable<Response> ask_handler(const Request& request);
  /// Head and body. False when the client is gone; an error when the content turns out damaged on the way. In
  /// both cases the stream must be broken off.
  boost::asio::awaitable<Result<bool>> send(Prepared& prepared);
  boost::asio::awaitable<Result<bool>> send_expanded(ZstdBody expanded);
  boost::asio::awaitable<void> refuse(int status, std::string_view reason);
  void enter(State state);
  void moved(std::uint64_t bytes);

  Worker& worker_;
  const Handler& handler_;
  std::string peer_;
  State state_ = State::starting;
  bool expired_ = false;  ///< a deadline has passed; only a 408 may follow
  bool aborted_ = false;
  std::chrono::steady_clock::time_point deadline_;
  std::uint64_t moved_ = 0;
  std::uint64_t moved_at_deadline_ = 0;
  std::string buffer_;
  std::list<Connection*>::iterator place_;
  Transport transport_;
};

}  // namespace sealift::repo_server::http
