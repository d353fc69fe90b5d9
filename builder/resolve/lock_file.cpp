#include "builder/resolve/lock_file.hpp"

#include <algorithm>

#include "builder/fetch/stored_form.hpp"
#include "builder/resolve/checksum_file.hpp"
#include "builder/resolve/parallel.hpp"
#include "builder/resolve/public_url.hpp"
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

bool may_compress_file(const WantedFile& wanted, const ResolveContext& context) {
  const auto url = net::Url::parse(wanted.url);
  return context.compress_files && may_compress(wanted.path) && url && may_compress(url->filename());
}

/// Reads the file with its stored form, which takes its size beforehand.
Result<Measured> measure_compressed(const WantedFile& wanted, std::optional<std::uint64_t> size,
                                    const std::optional<Digest>& expected, const ResolveContext& context) {
  context.log.info("files/{}: reading {} once to see how well it compresses", wanted.path,
                   size ? format_bytes(*size) : "it");
  TRY_ASSIGN(Measured measured, context.fetcher.measure(wanted.url, kMaxFileBytes, expected, size));
  if (measured.size != size && measured.size >= kLeastCompressedBytes) {
    context.log.info("files/{}: upstream did not say its size, {}, beforehand; reading it again", wanted.path,
                     format_bytes(measured.size));
    const Digest same = measured.sha256;
    TRY_ASSIGN(measured, context.fetcher.measure(wanted.url, kMaxFileBytes, same, measured.size));
  }
  if (measured.stored) {
    context.log.info("files/{}: {} will be stored as {} of zstd", wanted.path, format_bytes(measured.size),
                     format_bytes(measured.stored->size));
  }
  return measured;
}

Result<Measured> pin(const WantedFile& wanted, Claim& claim, const ResolveContext& context) {
  Fetcher& fetcher = context.fetcher;
  const bool is_known = claim.digest && claim.digest->algorithm() == DigestAlgorithm::sha256;
  bool compress = may_compress_file(wanted, context);
  std::optional<std::uint64_t> size;
  if (is_known || compress) {
    TRY_ASSIGN(size, fetcher.size_of(wanted.url));
  }
  if (size && *size < kLeastCompressedBytes) compress = false;
  if (is_known && size && !compress) return Measured{*claim.digest, *size, {}};
  if (!claim.digest) {
    context.log.warning(
        "files/{}: no checksum is known; reading it once and pinning what it is now (give sha256 or "
        "checksums)",
        wanted.path);
    claim.evidence.push_back("none: pinned on first use");
  }
  if (compress) return measure_compressed(wanted, size, claim.digest, context);
  return fetcher.measure(wanted.url, kMaxFileBytes, claim.digest);
}

Result<Pinned> lock_file(const WantedFile& wanted, const ResolveContext& context) {
  TRY_ASSIGN(Claim claim, find_claim(wanted, context.fetcher));
  TRY_ASSIGN(Measured measured, pin(wanted, claim, context));
  bundle::Origin origin;
  origin.kind = bundle::OriginKind::url;
  origin.url = wanted.url;
  origin.evidence = std::move(claim.evidence);
  return Pinned{bundle::LockedFile{wanted.path, wanted.mode, wanted.role, wanted.platform, measured.sha256},
                bundle::LockedBlob{measured.sha256, measured.size, "application/octet-stream",
                                   std::move(origin), std::move(measured.stored)}};
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
