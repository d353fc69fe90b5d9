/// The pulling side of the OCI distribution specification 1.1, with the token authentication registries use.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "builder/fetch/credentials.hpp"
#include "builder/fetch/mirror_map.hpp"
#include "lib/base/log.hpp"
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

/// Thread-safe. Every call retries what may pass; errors say what to do: authentication (401, 403), not_found (404),
/// network (429, 5xx after all retries), integrity (bytes differ from a digest).
class RegistryClient {
 public:
  RegistryClient(net::Transport& transport, const MirrorMap& mirrors, const Credentials& credentials,
                 net::RetryPolicy policy, std::stop_token stop, Log& log)
      : transport_(&transport), mirrors_(&mirrors), credentials_(&credentials), policy_(policy), stop_(std::move(stop)), log_(&log) {}

  /// Fetches what the reference names, at most 4 MiB. With a digest in the reference the bytes are checked against it; a
  /// Docker-Content-Digest of the answer must fit too.
  Result<FetchedManifest> manifest(const oci::Reference& reference);
  /// Whether the tag or digest exists (HEAD), and under which digest when the registry says so.
  Result<bool> exists(const oci::Reference& reference);
  /// A small blob such as a config, checked.
  Result<std::string> blob_text(const std::string& name, const oci::Descriptor& descriptor);
  /// One attempt at the bytes of a blob (or, with `is_manifest`, of a manifest) from `from` on: at most size - from bytes.
  enum class Kind { blob, manifest };
  Result<net::Response> stream(Kind kind, const std::string& name, const oci::Descriptor& descriptor, std::uint64_t from, Sink& to);
  /// Descriptors of what refers to `digest` (distribution-spec, "Listing Referrers"): the API, or the tag scheme where a registry
  /// lacks it. None is an empty list.
  Result<std::vector<oci::Descriptor>> referrers(const oci::Reference& subject);

 private:
  struct Token {
    net::Secret value;
    std::int64_t expires = 0;  ///< steady seconds
  };
  net::Transport* transport_;
  const MirrorMap* mirrors_;
  const Credentials* credentials_;
  net::RetryPolicy policy_;
  std::stop_token stop_;
  Log* log_;
  std::mutex mutex_;
  std::map<std::string, Token> tokens_;  ///< by host and repository
};

}  // namespace sealift::builder
