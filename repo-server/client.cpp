#include "repo-server/client.hpp"

#include <charconv>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace sealift::repo_server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::chrono::milliseconds kFirstPause{200};

struct Url {
  bool secure = false;
  std::string host;  ///< numeric, without brackets
  std::uint16_t port = 0;
  std::string authority;
  std::string target;
};

Result<Url> parse_url(const std::string& text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument, "{}: {}", text, why);
  };
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad("expected http:// or https://");
  }
  const auto slash = rest.find('/');
  url.target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  for (const char c : url.target) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      return bad("the path holds a space or control character");
  }
  std::string_view authority = rest.substr(0, slash);
  url.authority = std::string(authority);
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad("the address lacks its ']'");
    url.host = std::string(authority.substr(1, close - 1));
    port = authority.substr(close + 1);
  } else {
    url.host = std::string(authority.substr(0, authority.find(':')));
    port = authority.substr(url.host.size());
  }
  url.port = url.secure ? 443 : 80;
  if (!port.empty()) {
    port.remove_prefix(1);
    if (std::from_chars(port.data(), port.data() + port.size(), url.port).ptr != port.data() + port.size())
      return bad("the port is not a number");
  }
  error_code error;
  asio::ip::make_address(url.host, error);
  if (error) return bad("the host must be a numeric address; names are not looked up");
  return url;
}

/// What has arrived of the answer so far, over all attempts.
struct Transfer {
  const DownloadRequest& request;
  Url url;
  Sink& sink;
  Hasher hasher;
  std::uint64_t received = 0;
  std::string etag;
  bool may_retry = true;  ///< the failure was the network's, not the content's
  bool complete = false;
};

tl::unexpected<Error> network_failure(const Transfer& transfer, std::string_view doing,
                                      const error_code& error) {
  return fail(ErrorCode::network, "{}: {}: {}", transfer.request.url, doing,
              error == beast::error::timeout ? "no answer in time" : error.message());
}

tl::unexpected<Error> final_failure(Transfer& transfer, ErrorCode code, std::string_view message) {
  transfer.may_retry = false;
  return fail(code, "{}: {}", transfer.request.url, message);
}

Status check_head(Transfer& transfer, const beast_http::response_header<>& head,
                  std::optional<std::uint64_t> announced) {
  const unsigned status = head.result_int();
  if (status == 404)
    return final_failure(transfer, ErrorCode::not_found, "the mirror does not have it (404)");
  if (status == 503) return fail(ErrorCode::network, "{}: the mirror is busy (503)", transfer.request.url);
  if (status != 200 && status != 206)
    return final_failure(transfer, ErrorCode::network, fmt::format("the mirror answered {}", status));
  if (transfer.received > 0 && status != 206)
    return final_failure(transfer, ErrorCode::network, "the mirror's content changed during the transfer");
  if (status == 206) {
    const std::string range(head[beast_http::field::content_range]);
    if (!range.starts_with(fmt::format("bytes {}-", transfer.received))) {
      return final_failure(transfer, ErrorCode::network,
                           "the mirror answered with another range than was asked for");
    }
  }
  const std::uint64_t total = transfer.received + announced.value_or(0);
  if (announced && transfer.request.size && total != *transfer.request.size) {
    return final_failure(transfer, ErrorCode::integrity,
                         fmt::format("expected {} bytes, the mirror has {}", *transfer.request.size, total));
  }
  if (total > transfer.request.limit_bytes) {
    return final_failure(
        transfer, ErrorCode::integrity,
        fmt::format("{} bytes are more than the limit of {}", total, transfer.request.limit_bytes));
  }
  transfer.etag = std::string(head[beast_http::field::etag]);
  return {};
}

Status take(Transfer& transfer, Bytes piece) {
  const std::uint64_t limit =
      std::min(transfer.request.limit_bytes, transfer.request.size.value_or(UINT64_MAX));
  if (piece.size() > limit - transfer.received)
    return final_failure(transfer, ErrorCode::integrity, fmt::format("more than {} bytes", limit));
  transfer.hasher.update(piece);
  transfer.received += piece.size();
  Status written = transfer.sink.write(piece);
  if (!written) transfer.may_retry = false;
  return written;
}

template <typename Stream>
asio::awaitable<Status> exchange(Stream& stream, Transfer& transfer) {
  error_code error;
  beast_http::request<beast_http::empty_body> request(beast_http::verb::get, transfer.url.target, 11);
  request.set(beast_http::field::host, transfer.url.authority);
  request.set(beast_http::field::user_agent, "sealift");
  request.set(beast_http::field::accept, "*/*");
  request.set(beast_http::field::connection, "close");
  if (transfer.received > 0) {
    request.set(beast_http::field::range, fmt::format("bytes={}-", transfer.received));
    if (!transfer.etag.empty()) request.set(beast_http::field::if_range, transfer.etag);
  }
  auto& lowest = beast::get_lowest_layer(stream);
  lowest.expires_after(transfer.request.stalled);
  co_await beast_http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return network_failure(transfer, "asking", error);

  beast::flat_buffer buffer(kPieceBytes);
  beast_http::response_parser<beast_http::buffer_body> parser;
  parser.body_limit(boost::none);
  parser.header_limit(16 * 1024);
  lowest.expires_after(transfer.request.stalled);
  co_await beast_http::async_read_header(stream, buffer, parser,
                                         asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return network_failure(transfer, "waiting for the answer", error);
  const auto announced = parser.content_length();
  if (Status head = check_head(transfer, parser.get(),
                               announced ? std::optional<std::uint64_t>(*announced) : std::nullopt);
      !head)
    co_return head;

  std::vector<char> piece(kPieceBytes);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    lowest.expires_after(transfer.request.stalled);
    co_await beast_http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error == beast_http::error::need_buffer) error = {};
    const std::size_t got = piece.size() - parser.get().body().size;
    if (Status taken = take(transfer, std::as_bytes(std::span(piece.data(), got))); !taken) co_return taken;
    if (error) co_return network_failure(transfer, "receiving", error);
  }
  transfer.complete = true;
  co_return Status{};
}

asio::awaitable<Status> attempt(asio::io_context& context, asio::ssl::context* tls, Transfer& transfer) {
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(transfer.url.host), transfer.url.port);
  beast::tcp_stream plain(context);
  plain.expires_after(transfer.request.stalled);
  co_await plain.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return network_failure(transfer, "connecting", error);
  if (tls == nullptr) co_return co_await exchange(plain, transfer);

  beast::ssl_stream<beast::tcp_stream> secure(std::move(plain), *tls);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(secure.native_handle()), transfer.url.host.c_str());
  beast::get_lowest_layer(secure).expires_after(transfer.request.stalled);
  co_await secure.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    const long verified = SSL_get_verify_result(secure.native_handle());
    if (verified != X509_V_OK) {
      co_return final_failure(
          transfer, ErrorCode::authentication,
          fmt::format("the mirror's certificate is refused: {}", X509_verify_cert_error_string(verified)));
    }
    co_return network_failure(transfer, "starting TLS", error);
  }
  co_return co_await exchange(secure, transfer);
}

Status run_attempt(asio::ssl::context* tls, Transfer& transfer) {
  asio::io_context context(1);
  Status outcome = fail(ErrorCode::internal, "the download did not run");
  asio::co_spawn(context, attempt(context, tls, transfer), [&](std::exception_ptr failure, Status status) {
    outcome =
        failure ? Status(fail(ErrorCode::internal, "the download failed unexpectedly")) : std::move(status);
  });
  context.run();
  return outcome;
}

Status check_content(Transfer& transfer) {
  if (transfer.request.size && transfer.received != *transfer.request.size) {
    return fail(ErrorCode::integrity, "{}: expected {} bytes, received {}", transfer.request.url,
                *transfer.request.size, transfer.received);
  }
  const Digest found = transfer.hasher.finish();
  if (!transfer.request.digest || *transfer.request.digest == found) return {};
  return fail(ErrorCode::integrity, "{}: expected digest {}, received {}", transfer.request.url,
              transfer.request.digest->str(), found.str());
}

Result<std::unique_ptr<asio::ssl::context>> make_client_tls(const DownloadRequest& request) {
  if (request.ca_pem.empty())
    return fail(ErrorCode::invalid_argument, "{}: https needs the site's CA certificate", request.url);
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  tls->add_certificate_authority(asio::buffer(request.ca_pem), error);
  if (error)
    return fail(ErrorCode::invalid_argument, "the site's CA certificate cannot be read: {}", error.message());
  tls->set_verify_mode(asio::ssl::verify_peer, error);
  return tls;
}

}  // namespace

Result<std::uint64_t> download(const DownloadRequest& request, Sink& sink) {
  TRY_ASSIGN(Url url, parse_url(request.url));
  std::unique_ptr<asio::ssl::context> tls;
  if (url.secure) {
    TRY_ASSIGN(tls, make_client_tls(request));
  }
  Transfer transfer{request, std::move(url), sink,
                    Hasher(request.digest ? request.digest->algorithm() : DigestAlgorithm::sha256)};
  auto pause = kFirstPause;
  for (unsigned i = 1;; ++i) {
    const Status outcome = run_attempt(tls.get(), transfer);
    if (outcome) break;
    if (!transfer.may_retry || i >= request.attempts) return tl::unexpected(outcome.error());
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  TRY(check_content(transfer));
  return transfer.received;
}

Result<std::string> download_text(DownloadRequest request) {
  request.limit_bytes = std::min<std::uint64_t>(request.limit_bytes, 64U << 20);
  MemorySink sink(request.limit_bytes);
  TRY(download(request, sink));
  return sink.take();
}

}  // namespace sealift::repo_server
