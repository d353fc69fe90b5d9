/// The pulling side of the OCI distribution specification 1.1, with the token authentication registries use.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "builder/fetch/credentials.hpp"
#include "builder/fetch/mirror_map.hpp"
#include "builder/fetch/registry_auth.hpp"
#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/net/retry.hpp"
#include "lib/net/transport.hpp"
#include "lib/oci/manifest.hpp"
#include "lib/oci/reference.hpp"

namespace sealift::builder {

/// A manifest or index with its exact bytes.
struct FetchedManifest {
  oci::Descriptor descriptor;  ///< media type, digest (sha256) and size of `text`
  std::string text;
};

/// Tries `attempt` until it succeeds, fails for good, or the policy's retries are used up. `attempt` returns
/// a Result<T>.
template <typename Attempt>
auto with_retries(const net::RetryPolicy& policy, const std::stop_token& stop, Attempt attempt) {
  for (unsigned retry = 0;; ++retry) {
    std::optional<std::chrono::seconds> retry_after;
    auto result = attempt(retry_after);
    if (result || !net::is_transient(result.error()) || retry >= policy.retries) return result;
    if (!net::wait_for(net::retry_delay(policy, retry, net::random_jitter(), retry_after), stop))
      return decltype(result)(fail(ErrorCode::interrupted, "{}; stopped", result.error().message()));
  }
}

/// Target of the first link with rel="next" in a Link header (RFC 8288).
std::optional<std::string> next_link(std::string_view header);

/// Thread-safe. Errors say what to do: authentication (401, 403), not_found (404), network (429, 5xx, no
/// connection), integrity (bytes differ from a digest).
class RegistryClient {
 public:
  enum class Kind { blob, manifest };

  RegistryClient(net::Transport& transport, const MirrorMap& mirrors, const Credentials& credentials,
                 net::RetryPolicy policy, std::stop_token stop)
      : transport_(&transport),
        mirrors_(&mirrors),
        auth_(transport, credentials),
        policy_(policy),
        stop_(std::move(stop)) {}

  /// Fetches what the reference names, at most 4 MiB, with retries. With a digest in the reference the bytes
  /// are checked against it; a Docker-Content-Digest of the answer must fit too.
  Result<FetchedManifest> manifest(const oci::Reference& reference);
  /// Whether there is one, by HEAD, which public registries do not count as a pull; with retries.
  Result<bool> exists(const oci::Reference& reference);
  /// A small blob such as a config, at most 4 MiB, with retries, checked against the descriptor.
  Result<std::string> blob_text(const oci::Reference& repository, const oci::Descriptor& descriptor);
  /// Descriptors of what refers to the digest of `subject` (distribution-spec, "Listing Referrers"): by the
  /// API, all pages (at most 50, of the registry's own origin), or by the tag scheme where a registry lacks
  /// it. With retries. None is an empty list; what could not be asked is an error.
  Result<std::vector<oci::Descriptor>> referrers(const oci::Reference& subject);

  /// One attempt, without retries, at the bytes of a blob or manifest from `from` on; at most `size` - `from`
  /// reach `to`. The answer is 2xx. `retry_after` is set when the server names a delay.
  Result<net::Response> stream(Kind kind, const oci::Reference& what, std::uint64_t from, std::uint64_t size,
                               Sink& to, std::optional<std::chrono::seconds>& retry_after);

 private:
  struct Page {
    net::Response response;
    std::string text;
  };
  Result<Page> referrers_page(const RegistryLocation& location, const net::Url& url, const std::string& what);
  Result<std::vector<oci::Descriptor>> tagged_referrers(const oci::Reference& subject,
                                                        const std::string& what);
  /// GET into `to`, or HEAD when that is null; logs in when the registry asks for it.
  Result<net::Response> ask(const RegistryLocation& location, net::Request request, Sink* to);

  net::Transport* transport_;
  const MirrorMap* mirrors_;
  RegistryAuth auth_;
  net::RetryPolicy policy_;
  std::stop_token stop_;
};

}  // namespace sealift::builder
