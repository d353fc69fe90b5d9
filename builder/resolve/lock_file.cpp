#include "builder/resolve/lock_file.hpp"

#include <algorithm>

#include "builder/resolve/checksum_file.hpp"
#include "builder/resolve/parallel.hpp"
#include "lib/net/url.hpp"

namespace sealift::builder {

namespace {

constexpr std::uint64_t kMaxChecksumBytes = 4ULL << 20;
constexpr std::uint64_t kMaxFileBytes = 64ULL << 30;

struct Pinned {
  bundle::LockedFile file;
  bundle::LockedBlob blob;
};

/// The digest upstream (or the person) vouches for, and the evidence line for it.
struct Claim {
  std::optional<Digest> digest;
  std::vector<std::string> evidence;
};

Result<Claim> find_claim(const WantedFile& wanted, Fetcher& fetcher) {
  Claim claim;
  TRY_ASSIGN(const net::Url url, parse_public_url(wanted.url));
  if (!wanted.checksums.empty()) {
    TRY(parse_public_url(wanted.checksums));
    TRY_ASSIGN(const std::string text, fetcher.fetch_document(wanted.checksums, kMaxChecksumBytes));
    TRY_ASSIGN(Digest digest, find_checksum(text, url.filename(), wanted.checksums));
    claim.evidence.push_back(fmt::format("{} {}", to_string(digest.algorithm()), wanted.checksums));
    claim.digest = std::move(digest);
  }
  if (wanted.digest) {
    const bool comparable = claim.digest && claim.digest->algorithm() == wanted.digest->algorithm();
    if (comparable && *claim.digest != *wanted.digest) {
      return fail(ErrorCode::integrity, "{}: bundle.yaml says {}, {} says {}", wanted.url,
                  wanted.digest->str(), wanted.checksums, claim.digest->str());
    }
    // A sha512 list beside it is not looked at further, so it is no evidence.
    if (!comparable) claim.evidence.clear();
    claim.digest = wanted.digest;
    claim.evidence.insert(claim.evidence.begin(), "digest in bundle.yaml");
  }
  return claim;
}

Result<Measured> pin(const WantedFile& wanted, Claim& claim, const ResolveContext& context) {
  Fetcher& fetcher = context.fetcher;
  if (claim.digest && claim.digest->algorithm() == DigestAlgorithm::sha256) {
    TRY_ASSIGN(const auto size, fetcher.size_of(wanted.url));
    if (size) return Measured{*claim.digest, *size};
  }
  if (!claim.digest) {
    context.log.warning(
        "files/{}: no checksum is known; reading it once and pinning what it is now (give sha256 or "
        "checksums)",
        wanted.path);
    claim.evidence.push_back("none: pinned on first use");
  }
  return fetcher.measure(wanted.url, kMaxFileBytes, claim.digest);
}

Result<Pinned> lock_file(const WantedFile& wanted, const ResolveContext& context) {
  TRY_ASSIGN(Claim claim, find_claim(wanted, context.fetcher));
  TRY_ASSIGN(const Measured measured, pin(wanted, claim, context));
  bundle::Origin origin;
  origin.kind = bundle::OriginKind::url;
  origin.url = wanted.url;
  origin.evidence = std::move(claim.evidence);
  return Pinned{
      bundle::LockedFile{wanted.path, wanted.mode, wanted.role, wanted.platform, measured.sha256},
      bundle::LockedBlob{measured.sha256, measured.size, "application/octet-stream", std::move(origin)}};
}

Status add_file(bundle::LockedFile file, ResolvedFiles& to) {
  const auto same = std::find_if(to.files.begin(), to.files.end(),
                                 [&](const auto& other) { return other.path == file.path; });
  if (same == to.files.end()) {
    to.files.push_back(std::move(file));
    return {};
  }
  if (same->digest == file.digest) return {};
  return fail(ErrorCode::invalid_argument, "two different files have the path {}: give one another `path:`",
              file.path);
}

}  // namespace

Result<net::Url> parse_public_url(const std::string& text) {
  TRY_ASSIGN(net::Url url, net::Url::parse(text));
  if (!url.has_login()) return url;
  return fail(ErrorCode::invalid_argument,
              "{}: a login in a URL would be written into the lock and the bundle; put it into a mirror rule "
              "of a --mirrors file",
              url);
}

Status merge_files(ResolvedFiles from, ResolvedFiles& to) {
  for (bundle::LockedFile& file : from.files) TRY(add_file(std::move(file), to));
  to.blobs.merge(from.blobs);
  std::sort(to.files.begin(), to.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return {};
}

Result<ResolvedFiles> lock_files(const std::vector<WantedFile>& files, const ResolveContext& context) {
  std::vector<std::optional<Pinned>> pinned(files.size());
  TRY(for_each_parallel(files.size(), context.jobs, [&](std::size_t i) -> Status {
    TRY_ASSIGN(pinned[i], within(lock_file(files[i], context), fmt::format("files/{}", files[i].path)));
    return {};
  }));
  ResolvedFiles result;
  for (std::optional<Pinned>& one : pinned) {
    const Digest digest = one->blob.digest;
    TRY(add_file(std::move(one->file), result));
    result.blobs.try_emplace(digest, std::move(one->blob));
  }
  std::sort(result.files.begin(), result.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return result;
}

}  // namespace sealift::builder
