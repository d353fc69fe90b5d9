/// Everything `lock` and `create` fetch goes through one Fetcher: transport, mirrors, logins and retries
/// together.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "builder/fetch/registry_client.hpp"
#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/spec.hpp"
#include "lib/net/retry.hpp"

namespace sealift::builder {

struct FetcherOptions {
  std::vector<bundle::MirrorRule> mirrors;  ///< those of bundle.yaml, then those of --mirrors: later ones win
  std::optional<fs::path> authfile;         ///< --authfile
  std::string ca_file;                      ///< --ca-file: PEM authorities beside the system's
  net::RetryPolicy retry;
  std::chrono::seconds connect_timeout{30};
  std::chrono::seconds stall_timeout{60};
  std::stop_token stop;  ///< ends everything with ErrorCode::interrupted
};

/// What a file turned out to be.
struct Measured {
  Digest sha256;
  std::uint64_t size = 0;
  std::optional<bundle::StoredForm> stored;  ///< when asked for and worth it
};

/// Thread-safe: many threads may fetch at the same time.
class Fetcher {
 public:
  /// Reads the logins and the CA file. `log` must outlive the fetcher.
  static Result<std::unique_ptr<Fetcher>> create(FetcherOptions options, Log& log);
  ~Fetcher();

  /// Writes the bytes of `blob` from `from` on to `to`, exactly size - from of them. Broken transfers go on
  /// at the last good byte (HTTP Range; a server without ranges has the known part skipped). The caller
  /// verifies the digest over the whole. A blob from the start is not checked here either. Errors: as
  /// RegistryClient; integrity when upstream has more or fewer bytes than locked.
  Status fetch_blob(const bundle::LockedBlob& blob, std::uint64_t from, Sink& to);

  /// A small document by its upstream URL; more than `limit_bytes` is integrity, absence not_found. Fits
  /// builder::Download.
  Result<std::string> fetch_document(const std::string& url, std::uint64_t limit_bytes);

  /// Size by HEAD, or nullopt when the server does not say; absence is not_found.
  Result<std::optional<std::uint64_t>> size_of(const std::string& url);
  /// Reads a whole file to learn its sha256 and size; nothing is kept. Starts anew after a broken transfer,
  /// so that the result is of one answer. More than `limit_bytes`, or another content than `expected` (sha256
  /// or sha512), is integrity. With `compress_size` the stored form is learnt in the same pass, should the
  /// file have that size.
  Result<Measured> measure(const std::string& url, std::uint64_t limit_bytes,
                           const std::optional<Digest>& expected,
                           std::optional<std::uint64_t> compress_size = std::nullopt);

  RegistryClient& registry();

 private:
  struct Parts;
  explicit Fetcher(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealift::builder
