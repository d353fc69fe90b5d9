#include "builder/fetch/fetcher.hpp"

#include <charconv>

#include "builder/fetch/stored_form.hpp"
#include "builder/fetch/upstream_error.hpp"
#include "lib/base/version.hpp"
#include "lib/net/curl_transport.hpp"

namespace sealift::builder {

namespace {

/// A transfer that got this much further before it broke starts its retries anew: a 10 GiB layer over a bad
/// line arrives in the end, and a server that drops every connection at once does not keep us for ever.
constexpr std::uint64_t kProgressBytes = 64U << 10;

/// Counts what passes, and remembers whether it was the receiving side that failed.
class CountingSink final : public Sink {
 public:
  explicit CountingSink(Sink& to) : to_(&to) {}
  Status write(Bytes data) override {
    Status status = to_->write(data);
    if (status) count_ += data.size();
    failed_ = failed_ || !status;
    return status;
  }
  std::uint64_t count() const { return count_; }
  bool failed() const { return failed_; }

 private:
  Sink* to_;
  std::uint64_t count_ = 0;
  bool failed_ = false;
};

/// Hashes what passes, learns its stored form when asked to, and keeps nothing.
class MeasuringSink final : public Sink {
 public:
  MeasuringSink(const std::optional<Digest>& expected, std::optional<std::uint64_t> compress_size) {
    if (expected && expected->algorithm() != DigestAlgorithm::sha256) second_.emplace(expected->algorithm());
    if (compress_size) stored_ = std::make_unique<StoredFormSink>(*compress_size);
  }
  Status write(Bytes data) override {
    sha256_.update(data);
    if (second_) second_->update(data);
    size_ += data.size();
    if (stored_) return stored_->write(data);
    return {};
  }
  Result<Measured> finish() {
    Measured measured{sha256_.finish(), size_, {}};
    if (stored_) {
      TRY_ASSIGN(measured.stored, stored_->finish());
    }
    return measured;
  }
  std::optional<Digest> finish_second() {
    return second_ ? std::optional<Digest>(second_->finish()) : std::nullopt;
  }

 private:
  Hasher sha256_;
  std::optional<Hasher> second_;
  std::unique_ptr<StoredFormSink> stored_;
  std::uint64_t size_ = 0;
};

}  // namespace

struct Fetcher::Parts {
  Parts(FetcherOptions given, std::unique_ptr<net::Transport> http, MirrorMap map, Credentials logins,
        Log& messages)
      : options(std::move(given)),
        log(&messages),
        transport(std::move(http)),
        mirrors(std::move(map)),
        credentials(std::move(logins)),
        registry(*transport, mirrors, credentials, options.retry, options.stop) {}

  FetcherOptions options;
  Log* log;
  std::unique_ptr<net::Transport> transport;
  MirrorMap mirrors;
  Credentials credentials;
  RegistryClient registry;

  /// One attempt at a URL; the answer is 2xx.
  Result<net::Response> get(const std::string& url, std::uint64_t from, std::uint64_t limit_bytes, Sink& to,
                            std::optional<std::chrono::seconds>& retry_after) {
    TRY_ASSIGN(net::Url mapped, mirrors.map(url));
    const net::Request request{std::move(mapped), {}, net::Secret(), from, limit_bytes};
    TRY_ASSIGN(net::Response response, transport->get(request, to));
    if (response.succeeded()) return response;
    retry_after = net::parse_retry_after(response.header("retry-after").value_or(""), now());
    return upstream_error(response, response.url.str());
  }

  /// One attempt at the rest of a blob.
  Result<net::Response> get_blob(const bundle::LockedBlob& blob, std::uint64_t from, Sink& to,
                                 std::optional<std::chrono::seconds>& retry_after) {
    if (blob.origin.kind == bundle::OriginKind::url)
      return get(blob.origin.url, from, blob.size - from, to, retry_after);
    TRY_ASSIGN(const oci::Reference repository, oci::Reference::parse(blob.origin.repository));
    const auto kind = blob.origin.kind == bundle::OriginKind::registry_manifest
                          ? RegistryClient::Kind::manifest
                          : RegistryClient::Kind::blob;
    return registry.stream(kind, repository.with_digest(blob.digest), from, blob.size, to, retry_after);
  }
};

Fetcher::Fetcher(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Fetcher::~Fetcher() = default;

Result<std::unique_ptr<Fetcher>> Fetcher::create(FetcherOptions options, Log& log) {
  TRY_ASSIGN(MirrorMap mirrors, MirrorMap::make(options.mirrors));
  TRY_ASSIGN(Credentials credentials, Credentials::load(options.authfile));
  if (!credentials.source().empty()) log.debug("registry logins from {}", credentials.source());
  net::CurlOptions curl;
  curl.ca_file = options.ca_file;
  curl.connect_timeout = options.connect_timeout;
  curl.stall_timeout = options.stall_timeout;
  curl.user_agent = fmt::format("sealift/{}", kSealiftVersion);
  curl.stop = options.stop;
  TRY_ASSIGN(auto transport, net::CurlTransport::create(std::move(curl)));
  return std::unique_ptr<Fetcher>(new Fetcher(std::make_unique<Parts>(
      std::move(options), std::move(transport), std::move(mirrors), std::move(credentials), log)));
}

RegistryClient& Fetcher::registry() { return parts_->registry; }

Status Fetcher::fetch_blob(const bundle::LockedBlob& blob, std::uint64_t from, Sink& to) {
  if (from > blob.size)
    return fail(ErrorCode::internal, "blob {}: asked to continue at {} of {} bytes", blob.digest.str(), from,
                blob.size);
  if (blob.origin.kind == bundle::OriginKind::inlined) {
    if (blob.origin.content.size() != blob.size) {
      return fail(ErrorCode::integrity, "blob {}: the lock says {} bytes and holds {}", blob.digest.str(),
                  blob.size, blob.origin.content.size());
    }
    return to.write(as_bytes(blob.origin.content).subspan(static_cast<std::size_t>(from)));
  }
  CountingSink sink(to);
  const net::RetryPolicy& policy = parts_->options.retry;
  std::uint64_t last_good = from;
  for (unsigned retry = 0; from + sink.count() < blob.size;) {
    std::optional<std::chrono::seconds> retry_after;
    const auto response = parts_->get_blob(blob, from + sink.count(), sink, retry_after);
    const std::uint64_t position = from + sink.count();
    // Even when the connection broke at the very end: the caller checks the digest.
    if (position == blob.size && !sink.failed()) break;
    if (!response && (sink.failed() || !net::is_transient(response.error())))
      return tl::unexpected(response.error());
    if (position - last_good >= kProgressBytes) retry = 0;
    last_good = position;
    if (response && retry >= policy.retries) {
      return fail(ErrorCode::integrity, "{}: expected {} bytes, but the server's answers end after {}",
                  response->url, blob.size, position);
    }
    if (retry >= policy.retries) return tl::unexpected(response.error());
    parts_->log->debug("{}; trying again at {} of {} bytes",
                       response ? response->url.str() + ": ended early" : response.error().message(),
                       position, blob.size);
    if (!net::wait_for(net::retry_delay(policy, retry, net::random_jitter(), retry_after),
                       parts_->options.stop)) {
      return fail(ErrorCode::interrupted, "blob {}: stopped at {} of {} bytes", blob.digest.str(), position,
                  blob.size);
    }
    ++retry;
  }
  return {};
}

Result<std::string> Fetcher::fetch_document(const std::string& url, std::uint64_t limit_bytes) {
  return with_retries(parts_->options.retry, parts_->options.stop,
                      [&](auto& retry_after) -> Result<std::string> {
                        MemorySink sink(limit_bytes);
                        TRY(parts_->get(url, 0, limit_bytes, sink, retry_after));
                        return sink.take();
                      });
}

Result<std::optional<std::uint64_t>> Fetcher::size_of(const std::string& url) {
  TRY_ASSIGN(const net::Url mapped, parts_->mirrors.map(url));
  using Size = std::optional<std::uint64_t>;
  return with_retries(parts_->options.retry, parts_->options.stop, [&](auto& retry_after) -> Result<Size> {
    TRY_ASSIGN(const net::Response response, parts_->transport->head({mapped, {}, net::Secret(), 0, 0}));
    if (response.status == 404 || response.status == 410) return upstream_error(response, mapped.str());
    if (net::is_transient_status(response.status)) {
      retry_after = net::parse_retry_after(response.header("retry-after").value_or(""), now());
      return upstream_error(response, mapped.str());
    }
    const std::string text = response.header("content-length").value_or("");
    std::uint64_t size = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    // Not every server that gives a file answers HEAD for it (presigned URLs do not).
    if (!response.succeeded() || error != std::errc() || stop != text.data() + text.size()) return Size();
    return Size(size);
  });
}

Result<Measured> Fetcher::measure(const std::string& url, std::uint64_t limit_bytes,
                                  const std::optional<Digest>& expected,
                                  std::optional<std::uint64_t> compress_size) {
  return with_retries(
      parts_->options.retry, parts_->options.stop, [&](auto& retry_after) -> Result<Measured> {
        MeasuringSink sink(expected, compress_size);
        TRY_ASSIGN(const net::Response response, parts_->get(url, 0, limit_bytes, sink, retry_after));
        TRY_ASSIGN(Measured measured, sink.finish());
        if (expected) {
          const Digest found = sink.finish_second().value_or(measured.sha256);
          if (found != *expected) {
            return fail(ErrorCode::integrity, "{}: expected digest {}, found {} in {} bytes", response.url,
                        expected->str(), found.str(), measured.size);
          }
        }
        return measured;
      });
}

}  // namespace sealift::builder
