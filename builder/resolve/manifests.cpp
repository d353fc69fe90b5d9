#include <algorithm>
#include <set>

#include "builder/fetch/stored_form.hpp"
#include "builder/resolve/lock_file.hpp"
#include "builder/resolve/manifest_images.hpp"
#include "builder/resolve/public_url.hpp"
#include "builder/resolve/resolve.hpp"
#include "lib/base/json.hpp"

namespace sealift::builder {

namespace {

constexpr std::uint64_t kMaxManifestFileBytes = 8ULL << 20;

struct ManifestText {
  std::string text;
  bundle::Origin origin;
};

Result<ManifestText> read_local(const bundle::ManifestSpec& spec, const fs::path& spec_directory) {
  ManifestText manifest;
  const fs::path path = spec_directory / spec.file;
  TRY_ASSIGN(manifest.text, read_file(path, kMaxManifestFileBytes));
  // It is stored in the lock, which is JSON.
  if (!json::can_hold(manifest.text)) {
    return fail(ErrorCode::invalid_argument, "{}: not valid UTF-8", path.string());
  }
  manifest.origin.kind = bundle::OriginKind::inlined;
  manifest.origin.content = manifest.text;
  manifest.origin.evidence.push_back(fmt::format("local file {}", spec.file));
  return manifest;
}

Result<ManifestText> read_remote(const bundle::ManifestSpec& spec, const ResolveContext& context) {
  ManifestText manifest;
  TRY_ASSIGN(const net::Url url, parse_public_url(spec.url));
  TRY_ASSIGN(manifest.text, context.fetcher.fetch_document(spec.url, kMaxManifestFileBytes));
  manifest.origin.kind = bundle::OriginKind::url;
  manifest.origin.url = spec.url;
  if (spec.digest) {
    manifest.origin.evidence.emplace_back("digest in bundle.yaml");
  } else {
    context.log.warning("manifest {}: no sha256 is given; pinning {} as it is now", spec.name, url);
    manifest.origin.evidence.emplace_back("none: pinned on first use");
  }
  return manifest;
}

/// The text is at hand here: no second reading.
Result<std::optional<bundle::StoredForm>> stored_form(const std::string& text) {
  StoredFormSink sink(text.size());
  TRY(sink.write(as_bytes(text)));
  return sink.finish();
}

}  // namespace

Result<ResolvedManifests> resolve_manifests(const std::vector<bundle::ManifestSpec>& specs,
                                            const fs::path& spec_directory, const ResolveContext& context) {
  ResolvedManifests result;
  std::set<std::string> names;
  for (const bundle::ManifestSpec& spec : specs) {
    auto read = spec.url.empty() ? read_local(spec, spec_directory) : read_remote(spec, context);
    TRY_ASSIGN(ManifestText manifest, within(std::move(read), "manifest " + spec.name));
    const Digest digest = digest_of(manifest.text);
    if (spec.digest && *spec.digest != digest) {
      return fail(ErrorCode::integrity, "manifest {}: bundle.yaml says {}, found {} in {}", spec.name,
                  spec.digest->str(), digest.str(), spec.url.empty() ? spec.file : spec.url);
    }
    TRY_ASSIGN(const ManifestImages images,
               find_images(manifest.text, spec.url.empty() ? spec.file : spec.url));
    context.log.info("manifest {}: {} images", spec.name, images.named.size());
    for (const std::string& name : images.mentioned) {
      if (!images.named.contains(name))
        context.log.info("manifest {}: also {}, found in its arguments or environment", spec.name, name);
    }
    for (const std::string& text : images.unreadable)
      context.log.warning("manifest {}: \"{}\" is no image name, left out", spec.name, text);
    names.insert(images.named.begin(), images.named.end());
    names.insert(images.mentioned.begin(), images.mentioned.end());

    ResolvedFiles one;
    one.files.push_back({"manifests/" + spec.name + ".yaml", 0644, "manifest", "", digest});
    bundle::LockedBlob blob{digest, manifest.text.size(), "application/yaml", std::move(manifest.origin), {}};
    if (blob.origin.kind == bundle::OriginKind::url && context.compress_files) {
      TRY_ASSIGN(blob.stored, stored_form(manifest.text));
    }
    one.blobs.try_emplace(digest, std::move(blob));
    TRY(merge_files(std::move(one), result.files));
  }
  for (const std::string& name : names) result.images.push_back(bundle::ImageSpec{name, {}});
  return result;
}

}  // namespace sealift::builder
