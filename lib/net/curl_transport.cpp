#include "lib/net/curl_transport.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <mutex>

#include <curl/curl.h>

#include "lib/base/ascii.hpp"
#include "lib/base/files.hpp"

namespace sealift::net {

namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxErrorBody = 16U << 10;
constexpr std::size_t kMaxHeaderBytes = 256U << 10;
constexpr long kBufferBytes = 256L << 10;
constexpr std::uint64_t kMaxAuthorityBytes = 16ULL << 20;

struct CurlHandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlHandleDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// First byte position of "bytes 100-199/200".
std::optional<std::uint64_t> content_range_start(std::string_view value) {
  if (!value.starts_with("bytes ")) return std::nullopt;
  value.remove_prefix(6);
  std::uint64_t first = 0;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), first);
  if (error != std::errc() || stop == value.data() + value.size() || *stop != '-') return std::nullopt;
  return first;
}

/// One request and what its callbacks collect.
struct Exchange {
  CURL* handle = nullptr;
  const Request* request = nullptr;
  Sink* sink = nullptr;
  std::stop_token stop;
  Response response;
  std::optional<Error> problem;  ///< why a callback broke the transfer off
  std::size_t header_bytes = 0;
  std::uint64_t to_skip = 0;  ///< start of a body that was sent although only its rest was asked for
  bool body_started = false;
  bool error_page_cut = false;

  Status start_body() {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    body_started = true;
    if (request->range_from == 0) return {};
    if (response.status == 200) to_skip = request->range_from;
    if (response.status != 206) return {};
    const auto start = content_range_start(response.header("content-range").value_or(""));
    if (start != request->range_from) {
      return fail(ErrorCode::integrity,
                  "{}: asked for the bytes from {} on, the answer has Content-Range \"{}\"", request->url,
                  request->range_from, response.header("content-range").value_or(""));
    }
    return {};
  }

  Status take(Bytes data) {
    if (!body_started) TRY(start_body());
    if (!response.succeeded()) {
      const std::size_t room = kMaxErrorBody - std::min(kMaxErrorBody, response.error_body.size());
      response.error_body.append(as_text(data.first(std::min(room, data.size()))));
      // An endless error page is cut off; what was read says enough.
      error_page_cut = data.size() > room;
      return {};
    }
    const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip, data.size()));
    to_skip -= skipped;
    data = data.subspan(skipped);
    if (data.empty()) return {};
    if (data.size() > request->limit_bytes - response.body_bytes) {
      return fail(ErrorCode::integrity, "{}: the answer is longer than the {} bytes expected", request->url,
                  request->range_from + request->limit_bytes);
    }
    TRY(sink->write(data));
    response.body_bytes += data.size();
    return {};
  }
};

std::size_t on_body(char* data, std::size_t, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const Status status = exchange.take(as_bytes({data, count}));
  if (status && !exchange.error_page_cut) return count;
  if (exchange.error_page_cut) return CURL_WRITEFUNC_ERROR;
  exchange.problem = status.error();
  return CURL_WRITEFUNC_ERROR;
}

std::size_t on_header(char* data, std::size_t, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, count);
  exchange.header_bytes += count;
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.problem =
        Error(ErrorCode::integrity, fmt::format("{}: more than 256 KiB of headers", exchange.request->url));
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear();  // of a 100 or of a proxy's answer to CONNECT
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    exchange.response.headers.emplace_back(ascii_lower(line.substr(0, colon)),
                                           trimmed(line.substr(colon + 1)));
  }
  return count;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(context)->stop.stop_requested() ? 1 : 0;
}

bool is_certificate_problem(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
         code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_CRL_BADFILE;
}

tl::unexpected<Error> transfer_error(CURLcode code, const Exchange& exchange, const char* detail) {
  const std::string text = *detail != '\0' ? detail : curl_easy_strerror(code);
  const Url& url = exchange.request->url;
  if (exchange.problem) return tl::unexpected(*exchange.problem);
  if (code == CURLE_ABORTED_BY_CALLBACK) return fail(ErrorCode::interrupted, "{}: stopped", url);
  if (is_certificate_problem(code)) {
    return fail(ErrorCode::untrusted,
                "{}: the server's certificate is not trusted ({}); give its authority with --ca-file", url,
                text);
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST) {
    return fail(ErrorCode::network,
                "{}: the host name cannot be resolved; check the name, DNS, and the proxy variables", url);
  }
  if (code == CURLE_SSL_CONNECT_ERROR) {
    return fail(ErrorCode::network,
                "{}: no TLS connection ({}); a server that speaks plain http must be named with http://", url,
                text);
  }
  if (code == CURLE_OPERATION_TIMEDOUT)
    return fail(ErrorCode::network, "{}: timed out or too slow ({})", url, text);
  return fail(ErrorCode::network, "{}: {}", url, text);
}

}  // namespace

struct CurlTransport::State {
  CurlOptions options;
  std::string authorities;  ///< PEM of the system's and of ca_file; empty: libcurl's own default
  std::mutex mutex;
  std::vector<CurlHandle> idle;

  CurlHandle take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return CurlHandle(curl_easy_init());
    CurlHandle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }
  void give_back(CurlHandle handle) {
    curl_easy_reset(handle.get());  // keeps its connections
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(handle));
  }

  void prepare(Exchange& exchange, char* error_text) const;
  Result<Response> perform(const Request& request, Sink& sink, const std::function<void(CURL*)>& configure);
  Result<Response> follow(Request request, Sink& sink, const std::function<void(CURL*)>& configure);
};

void CurlTransport::State::prepare(Exchange& exchange, char* error_text) const {
  CURL* handle = exchange.handle;
  curl_easy_setopt(handle, CURLOPT_URL, exchange.request->url.reveal().c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!authorities.empty()) {
    curl_blob blob{const_cast<char*>(authorities.data()), authorities.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &blob);
  }
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
}

Result<Response> CurlTransport::State::perform(const Request& request, Sink& sink,
                                               const std::function<void(CURL*)>& configure) {
  if (options.stop.stop_requested()) return fail(ErrorCode::interrupted, "{}: stopped", request.url);
  CurlHandle handle = take();
  if (!handle) return fail(ErrorCode::internal, "libcurl could not make a handle");
  Exchange exchange{handle.get(), &request, &sink, options.stop, Response{0, {}, request.url, {}, 0}};
  char error_text[CURL_ERROR_SIZE] = "";
  prepare(exchange, error_text);

  curl_slist* list = nullptr;
  const auto add_header = [&](const std::string& line) { list = curl_slist_append(list, line.c_str()); };
  for (const auto& [name, value] : request.headers) add_header(name + ": " + value);
  if (!request.authorization.empty()) add_header("Authorization: " + request.authorization.reveal());
  if (request.range_from > 0) add_header(fmt::format("Range: bytes={}-", request.range_from));
  // Digests and sizes are over the bytes as stored: no transfer may decode them.
  add_header("Accept-Encoding: identity");
  const std::unique_ptr<curl_slist, ListDeleter> headers(list);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  configure(handle.get());

  const CURLcode code = curl_easy_perform(handle.get());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  give_back(std::move(handle));
  if (code != CURLE_OK && !exchange.error_page_cut) return transfer_error(code, exchange, error_text);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

Result<Response> CurlTransport::State::follow(Request request, Sink& sink,
                                              const std::function<void(CURL*)>& configure) {
  const Url first = request.url;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    TRY_ASSIGN(Response response, perform(request, sink, configure));
    const int status = response.status;
    const auto location = response.header("location");
    const bool redirect =
        (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) && location;
    if (!redirect) return response;
    auto next = request.url.resolve(*location);
    if (!next)
      return fail(ErrorCode::unsupported, "{}: redirected to something else than http or https", request.url);
    if (request.url.scheme() == "https" && next->scheme() == "http") {
      return fail(ErrorCode::untrusted, "{}: redirected from https to {}, which would not be protected",
                  request.url, *next);
    }
    if (!request.url.same_origin(*next)) request.authorization = Secret();
    request.url = std::move(*next);
  }
  return fail(ErrorCode::unsupported, "{}: more than {} redirects", first, kMaxRedirects);
}

Result<std::unique_ptr<CurlTransport>> CurlTransport::create(CurlOptions options) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(ErrorCode::internal, "libcurl could not be initialised");
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  if (!state->options.ca_file.empty()) {
    const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
    if (info->cainfo != nullptr) {
      // A machine without the system's authorities is one that trusts only those of ca_file.
      if (auto system = read_file(info->cainfo, kMaxAuthorityBytes))
        state->authorities = std::move(*system) + "\n";
    }
    TRY_ASSIGN(const std::string own, read_file(state->options.ca_file, kMaxAuthorityBytes));
    if (own.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      return fail(ErrorCode::invalid_argument, "{}: no PEM certificate in this file", state->options.ca_file);
    }
    state->authorities += own;
  }
  return std::unique_ptr<CurlTransport>(new CurlTransport(std::move(state)));
}

CurlTransport::CurlTransport(std::unique_ptr<State> state) : state_(std::move(state)) {}
CurlTransport::~CurlTransport() = default;

Result<Response> CurlTransport::get(const Request& request, Sink& body) {
  return state_->follow(request, body, [](CURL* handle) { curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L); });
}

Result<Response> CurlTransport::head(const Request& request) {
  MemorySink nothing(0);
  return state_->follow(request, nothing, [](CURL* handle) { curl_easy_setopt(handle, CURLOPT_NOBODY, 1L); });
}

Result<Response> CurlTransport::post(const Request& request, const Secret& form, Sink& body) {
  return state_->perform(request, body, [&](CURL* handle) {
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(form.reveal().size()));
    curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, form.reveal().c_str());
  });
}

}  // namespace sealift::net
