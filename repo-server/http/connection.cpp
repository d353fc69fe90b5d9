#include "repo-server/http/connection.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "repo-server/http/expanded_body.hpp"
#include "repo-server/http/request_parser.hpp"

namespace sealift::repo_server::http {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 4096;
constexpr unsigned char kTlsHandshakeRecord = 0x16;
/// A prepared manifest may leave the bounded cache before its turn comes; more often than this is a server
/// under siege.
constexpr int kMaxPreparations = 5;
/// An answer must move at least this much per Limits::stalled.
constexpr std::uint64_t kProgressBytes = 64 * 1024;
/// With more on one worker, waking it for a short queue costs more processor time than it saves
/// (tests/bench/serve).
constexpr std::size_t kFewConnections = 32;

/// A preparation that is waited for, on the connection's own thread.
struct PendingPreparation {
  explicit PendingPreparation(const asio::any_io_executor& executor)
      : finished(executor, Clock::time_point::max()) {}
  asio::steady_timer finished;  // never expires; cancelling it is the signal
  bool done = false;
  Status status;
};

/// Runs `prepare` and resumes on this thread, whichever thread reports.
asio::awaitable<Status> wait_until_prepared(const Preparation& prepare) {
  const auto executor = co_await asio::this_coro::executor;
  const auto pending = std::make_shared<PendingPreparation>(executor);
  prepare([pending, work = asio::make_work_guard(executor)](Status status) {
    asio::post(work.get_executor(), [pending, reported = std::move(status)]() mutable {
      pending->status = std::move(reported);
      pending->done = true;
      pending->finished.cancel();
    });
  });
  boost::system::error_code ignored;
  while (!pending->done) {
    co_await pending->finished.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::move(pending->status);
}

/// One of the places for answers that are decompressed, which all threads share.
class ExpandingTurn {
 public:
  ExpandingTurn(std::atomic<std::int64_t>& taken, std::int64_t places)
      : taken_(taken), granted_(taken.fetch_add(1, std::memory_order_relaxed) < places) {}
  ~ExpandingTurn() { taken_.fetch_sub(1, std::memory_order_relaxed); }
  ExpandingTurn(const ExpandingTurn&) = delete;
  ExpandingTurn& operator=(const ExpandingTurn&) = delete;
  bool is_granted() const { return granted_; }

 private:
  std::atomic<std::int64_t>& taken_;
  const bool granted_;
};

/// Takes the empty lines before a request line away (RFC 9112 section 2.2) and says how many bytes they were.
std::size_t skip_empty_lines(std::string& text) {
  const std::size_t count = std::min(text.find_first_not_of("\r\n"), text.size());
  text.erase(0, count);
  return count;
}

std::string peer_address(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "-" : endpoint.address().to_string();
}

}  // namespace

void Worker::refresh() {
  const Timestamp second = now();
  if (second == second_ && !http_date_.empty()) return;
  second_ = second;
  http_date_ = format_rfc5322(second, "GMT");
  rfc3339_ = format_rfc3339(second);
}

const std::string& Worker::http_date() {
  refresh();
  return http_date_;
}

const std::string& Worker::rfc3339() {
  refresh();
  return rfc3339_;
}

Connection::Connection(Worker& worker, asio::ip::tcp::socket socket, const Handler& handler)
    : worker_(worker),
      handler_(handler),
      peer_(peer_address(socket)),
      place_(worker.connections.insert(worker.connections.end(), this)),
      transport_(std::move(socket), worker.scratch, [this](std::uint64_t bytes) { moved(bytes); }) {
  enter(State::starting);
}

Connection::~Connection() {
  worker_.connections.erase(place_);
  worker_.statistics.connections_open.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::enter(State state) {
  state_ = state;
  const auto now = Clock::now();
  switch (state) {
    case State::starting:
    case State::reading:
      deadline_ = now + worker_.limits.head;
      break;
    case State::idle:
      deadline_ = now + worker_.limits.idle;
      break;
    case State::preparing:
      deadline_ = Clock::time_point::max();
      break;
    case State::sending:
      deadline_ = now + worker_.limits.stalled;
      moved_at_deadline_ = moved_;
      break;
  }
}

void Connection::moved(std::uint64_t bytes) { moved_ += bytes; }

void Connection::check_deadline(Clock::time_point now) {
  // cancel() ends only what waits at this moment: it is said again at every tick, so that nothing slips
  // through.
  if (aborted_ || (expired_ && state_ == State::reading)) transport_.cancel();
  if (aborted_ || now < deadline_) return;
  if (state_ == State::sending && moved_ - moved_at_deadline_ >= kProgressBytes) {
    enter(State::sending);
    return;
  }
  if (state_ != State::idle && !expired_)
    worker_.statistics.connections_timed_out.fetch_add(1, std::memory_order_relaxed);
  // A half-read request still gets its 408, and no more than a head's time for it; everything else is just
  // ended.
  const bool may_be_told = state_ == State::reading && !expired_;
  expired_ = true;
  if (!may_be_told) return abort();
  deadline_ = now + worker_.limits.head;
  transport_.cancel();
}

void Connection::abort() {
  aborted_ = true;
  transport_.abort();
}

void Connection::finish() {
  if (state_ == State::idle || state_ == State::starting) transport_.cancel();
}

asio::awaitable<void> Connection::serve() {
  if (!co_await negotiate()) co_return;
  while (true) {
    const std::size_t head_size = co_await read_head();
    if (head_size == 0) co_return;
    auto parsed = parse_request_head(std::string_view(buffer_).substr(0, head_size));
    buffer_.erase(0, head_size);
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) {
      co_await refuse(bad->status, bad->reason);
      co_return;
    }
    auto& request = std::get<Request>(parsed);
    request.peer = peer_;
    request.secure = transport_.is_tls();
    if (!co_await answer(request)) co_return;
  }
}

asio::awaitable<bool> Connection::negotiate() {
  const int first = co_await transport_.peek();
  if (first < 0) co_return false;
  const bool is_tls = first == kTlsHandshakeRecord;
  if (!is_tls) {
    if (worker_.mode != TlsMode::tls_only) co_return true;
    co_await refuse(400, "this port speaks HTTPS only");
    co_return false;
  }
  bool secured = false;
  if (worker_.mode != TlsMode::plain_only) secured = co_await transport_.start_tls(*worker_.tls);
  if (!secured) {
    worker_.statistics.tls_handshake_failures.fetch_add(1, std::memory_order_relaxed);
    co_return false;
  }
  co_return true;
}

asio::awaitable<std::size_t> Connection::read_head() {
  std::size_t seen = 0;
  std::size_t allowed = kMaxHeadBytes;
  enter(buffer_.empty() ? State::idle : State::reading);
  while (true) {
    if (seen == 0) allowed -= std::min(allowed, skip_empty_lines(buffer_));
    if (const std::size_t end = find_head_end(buffer_, seen); end != 0 && end <= allowed) co_return end;
    if (buffer_.size() >= allowed) {
      co_await refuse(431, "the request's header is larger than 16 KiB");
      co_return 0;
    }
    seen = buffer_.size();
    if (worker_.stopping && buffer_.empty()) co_return 0;
    buffer_.resize(seen + std::min(kReadBytes, allowed - seen));
    const std::size_t got =
        co_await transport_.read_some(std::span(buffer_.data() + seen, buffer_.size() - seen));
    buffer_.resize(seen + got);
    // Also when something was read: the clock may have struck between the reading and now.
    if (expired_ && state_ == State::reading)
      co_await refuse(408, "the request's header did not arrive in time");
    if (expired_ || got == 0) co_return 0;
    if (state_ == State::idle) enter(State::reading);
  }
}

asio::awaitable<Response> Connection::ask_handler(const Request& request) {
  Response response = handler_.handle(request);
  for (int attempt = 0; response.prepare; ++attempt) {
    enter(State::preparing);
    Status prepared = fail(ErrorCode::interrupted, "the server is too busy for this content; try again");
    if (attempt < kMaxPreparations) prepared = co_await wait_until_prepared(response.prepare);
    response = prepared ? handler_.handle(request) : handler_.failure(request, prepared.error());
    if (response.status == 503) response.headers += "Retry-After: 10\r\n";
  }
  co_return response;
}

asio::awaitable<Result<bool>> Connection::send(Prepared& prepared) {
  const bool sent = co_await transport_.write(prepared.head, prepared.text,
                                              prepared.text.empty() && prepared.body_size() > 0);
  if (!sent) co_return false;
  if (prepared.expanded) co_return co_await send_expanded(std::move(*prepared.expanded));
  if (!prepared.file) co_return true;
  const bool few_readers = worker_.connections.size() <= kFewConnections;
  co_return co_await transport_.send_file(std::move(*prepared.file), few_readers);
}

asio::awaitable<Result<bool>> Connection::send_expanded(ZstdBody expanded) {
  ExpandedBody body(std::move(expanded));
  // Passing over the part before a range moves no bytes and must not look like a stalled client.
  if (body.is_before_range()) enter(State::preparing);
  while (!body.is_done()) {
    if (aborted_) co_return false;
    // Nothing is written yet that would fail, so a client that is gone has to be looked for.
    if (body.is_before_range() && transport_.is_closed_by_client()) co_return false;
    const Result<std::string_view> piece = body.next();
    if (!piece) co_return tl::unexpected(piece.error());
    if (!piece->empty()) {
      if (state_ != State::sending) enter(State::sending);
      const bool sent = co_await transport_.write(*piece, {}, !body.is_done());
      if (!sent) co_return false;
    }
    // A socket that takes everything at once never waits: the worker's other connections get their turn here.
    co_await asio::post(worker_.context, asio::use_awaitable);
  }
  co_return true;
}

asio::awaitable<bool> Connection::answer(const Request& request) {
  const auto started = Clock::now();
  Response response = co_await ask_handler(request);
  std::optional<ExpandingTurn> turn;
  if (response.expanded && request.method == Method::get)
    turn.emplace(worker_.statistics.expanding, worker_.limits.expanding);
  if (turn && !turn->is_granted()) {
    turn.reset();
    response = handler_.failure(
        request, Error(ErrorCode::interrupted, "too many files are being decompressed; try again"));
    response.headers += "Retry-After: 10\r\n";
  }
  const bool keep_alive = request.keep_alive && !request.has_body && !worker_.stopping;
  auto prepared = prepare_response(request, std::move(response), worker_.http_date(), keep_alive);
  enter(State::sending);
  const std::uint64_t body_size = prepared->body_size();
  const std::uint64_t head_size = prepared->head.size();
  const std::uint64_t moved_before = moved_;
  const Result<bool> outcome = co_await send(*prepared);
  const bool sent = outcome && *outcome;
  turn.reset();

  const std::uint64_t moved_now = moved_ - moved_before;
  const std::uint64_t body_sent = sent ? body_size : moved_now > head_size ? moved_now - head_size : 0;
  auto& statistics = worker_.statistics;
  statistics.requests_by_class[static_cast<std::size_t>(prepared->status / 100) % 6].fetch_add(
      1, std::memory_order_relaxed);
  statistics.body_bytes.fetch_add(body_sent, std::memory_order_relaxed);
  worker_.log.add(request, prepared->status, body_sent, worker_.rfc3339(),
                  std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started),
                  outcome ? std::string_view() : outcome.error().message());
  if (sent && request.has_body) co_await transport_.linger();
  co_return sent&& keep_alive;
}

asio::awaitable<void> Connection::refuse(int status, std::string_view reason) {
  enter(State::starting);
  worker_.statistics.requests_by_class[4].fetch_add(1, std::memory_order_relaxed);
  worker_.log.add_refused(peer_, status, reason, worker_.rfc3339());
  const std::string refusal = render_refusal(status, reason, worker_.http_date());
  const bool sent = co_await transport_.write(refusal, {}, false);
  if (sent) co_await transport_.linger();
}

}  // namespace sealift::repo_server::http
