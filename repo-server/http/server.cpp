#include "repo-server/http/server.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

#include "repo-server/http/connection.hpp"

namespace sealift::repo_server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kTick{200};
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

asio::awaitable<void> serve_connection(std::unique_ptr<Connection> connection) {
  co_await connection->serve();
}

/// Ends connections that take too long and writes the log, a few times a second, until the worker has
/// stopped.
asio::awaitable<void> tick(Worker& worker) {
  asio::steady_timer timer(worker.context);
  while (!worker.stopping || !worker.connections.empty()) {
    timer.expires_after(kTick);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const auto now = std::chrono::steady_clock::now();
    for (Connection* connection : worker.connections) {
      connection->check_deadline(now);
      if (worker.stopping) connection->finish();
    }
    worker.log.flush();
  }
}

class AsioServer final : public Server {
 public:
  AsioServer(TlsContext tls, const Limits& limits, Statistics& statistics, Log& log)
      : tls_(std::move(tls)), limits_(limits), statistics_(statistics), log_(log) {}
  ~AsioServer() override { stop(std::chrono::milliseconds(0)); }

  Status run(std::vector<Listener> listeners, TlsMode mode, const AccessLog& access_log);
  void use(TlsContext tls) override;
  void stop(std::chrono::milliseconds grace) override;

 private:
  asio::awaitable<void> accept(tcp::acceptor& acceptor, const Handler& handler);
  void adopt(Worker& worker, tcp::socket socket, const Handler& handler);

  const TlsContext tls_;
  const Limits limits_;
  Statistics& statistics_;
  Log& log_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors_;  // on the first worker
  std::vector<std::thread> threads_;
  std::size_t next_worker_ = 0;
};

Status AsioServer::run(std::vector<Listener> listeners, TlsMode mode, const AccessLog& access_log) {
  const unsigned count =
      limits_.threads != 0 ? limits_.threads : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(limits_, mode, tls_, access_log, statistics_));
  }
  for (auto& listener : listeners) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      return fail_errno(errno, "using a listening socket");
    }
    auto acceptor = std::make_unique<tcp::acceptor>(workers_.front()->context);
    boost::system::error_code error;
    acceptor->assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listener.socket.get(), error);
    if (error) return fail(ErrorCode::io, "using a listening socket: {}", error.message());
    (void)listener.socket.release();
    acceptors_.push_back(std::move(acceptor));
    asio::co_spawn(workers_.front()->context, accept(*acceptors_.back(), *listener.handler), asio::detached);
  }
  for (auto& worker : workers_) {
    asio::co_spawn(worker->context, tick(*worker), asio::detached);
    threads_.emplace_back([&worker = *worker] { worker.context.run(); });
  }
  return {};
}

asio::awaitable<void> AsioServer::accept(tcp::acceptor& acceptor, const Handler& handler) {
  while (acceptor.is_open()) {
    Worker& worker = *workers_[next_worker_++ % workers_.size()];
    tcp::socket socket(worker.context);
    boost::system::error_code error;
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor.is_open()) co_return;
    if (error) {
      // Most likely out of descriptors: others must end first.
      log_.warning("cannot accept a connection: {}", error.message());
      asio::steady_timer pause(acceptor.get_executor(), kTick);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    statistics_.connections_total.fetch_add(1, std::memory_order_relaxed);
    if (statistics_.connections_open.fetch_add(1, std::memory_order_relaxed) >= limits_.connections) {
      statistics_.connections_open.fetch_sub(1, std::memory_order_relaxed);
      statistics_.connections_refused.fetch_add(1, std::memory_order_relaxed);
      (void)::send(socket.native_handle(), kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      continue;
    }
    adopt(worker, std::move(socket), handler);
  }
}

void AsioServer::adopt(Worker& worker, tcp::socket socket, const Handler& handler) {
  asio::post(worker.context, [&worker, &handler, this, socket = std::move(socket)]() mutable {
    if (worker.stopping) {
      statistics_.connections_open.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    auto connection = std::make_unique<Connection>(worker, std::move(socket), handler);
    asio::co_spawn(worker.context, serve_connection(std::move(connection)), asio::detached);
  });
}

void AsioServer::use(TlsContext tls) {
  for (auto& worker : workers_) asio::post(worker->context, [&worker = *worker, tls] { worker.tls = tls; });
}

void AsioServer::stop(std::chrono::milliseconds grace) {
  if (threads_.empty()) return;
  asio::post(workers_.front()->context, [this] {
    boost::system::error_code ignored;
    for (auto& acceptor : acceptors_) acceptor->close(ignored);
  });
  for (auto& worker : workers_) {
    asio::post(worker->context, [&worker = *worker] {
      worker.stopping = true;
      for (Connection* connection : worker.connections) connection->finish();
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (statistics_.connections_open.load() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (auto& worker : workers_) {
    asio::post(worker->context, [&worker = *worker] {
      for (Connection* connection : worker.connections) connection->abort();
    });
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  for (auto& worker : workers_) worker->log.flush();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(std::vector<Listener> listeners, TlsMode mode, TlsContext tls,
                                              const Limits& limits, const AccessLog& access_log,
                                              Statistics& statistics, Log& log) {
  if (!tls && mode != TlsMode::plain_only)
    return fail(ErrorCode::internal, "TLS is asked for without a certificate");
  auto server = std::make_unique<AsioServer>(std::move(tls), limits, statistics, log);
  TRY(server->run(std::move(listeners), mode, access_log));
  return server;
}

}  // namespace sealift::repo_server::http
