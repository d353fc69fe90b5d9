#include "lib/bundle/contents.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "lib/base/files.hpp"

namespace bundle = sealift::bundle;

namespace {

/// Every extent lies inside the bundle and apart from all others.
void check_extents(const bundle::Contents& contents) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
  for (const auto& head : contents.head) extents.emplace_back(head.offset, head.size);
  for (const auto& [digest, blob] : contents.blobs) {
    if (blob.digest != digest) std::abort();
    if (blob.offset) extents.emplace_back(*blob.offset, blob.size);
  }
  std::sort(extents.begin(), extents.end());
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const auto& [offset, size] = extents[i];
    if (offset % 4096 != 0 || offset > contents.size || size > contents.size - offset) std::abort();
    if (i + 1 < extents.size() && size >= extents[i + 1].first - offset) std::abort();
  }
}

/// Everything the tree and the images refer to is there and can be found by its name.
void check_names(const bundle::Contents& contents) {
  for (const auto& image : contents.images) {
    if (contents.find_blob(image.digest) == nullptr) std::abort();
    const auto* found = contents.find_image(image.name);
    if (found == nullptr || found->name != image.name) std::abort();
  }
  for (const auto& file : contents.files) {
    if (contents.find_blob(file.blob()) == nullptr) std::abort();
    const auto* found = contents.find_file(file.path);
    if (found == nullptr || found->path != file.path || !sealift::is_confined_path(file.path)) std::abort();
  }
  for (const auto& set : contents.package_sets) {
    for (const auto& package : set.packages) {
      if (contents.find_blob(package.digest) == nullptr || !sealift::is_confined_path(package.path))
        std::abort();
    }
  }
}

auto fields(const bundle::HeadEntry& head) {
  return std::tie(head.path, head.digest, head.size, head.offset, head.mode);
}
auto fields(const bundle::ImageEntry& image) {
  return std::tie(image.name, image.digest, image.media_type, image.size, image.platforms);
}
auto fields(const bundle::FileEntry& file) {
  return std::tie(file.path, file.digest, file.size, file.media_type, file.mode, file.role, file.platform,
                  file.stored);
}
auto fields(const bundle::PackageEntry& package) {
  return std::tie(package.name, package.version, package.architecture, package.path, package.digest,
                  package.size);
}
auto fields(const bundle::BlobEntry& blob) {
  return std::tie(blob.digest, blob.size, blob.offset, blob.media_type, blob.provenance.source,
                  blob.provenance.evidence);
}
auto fields(const bundle::Contents& contents) {
  return std::tie(contents.name, contents.version, contents.time, contents.platforms,
                  contents.kubernetes_version, contents.size);
}

template <typename Items>
bool same(const Items& a, const Items& b) {
  return std::ranges::equal(a, b,
                            [](const auto& one, const auto& other) { return fields(one) == fields(other); });
}

bool same_sets(const bundle::Contents& a, const bundle::Contents& b) {
  return std::ranges::equal(a.package_sets, b.package_sets, [](const auto& one, const auto& other) {
    return std::tie(one.target, one.baseline, one.architectures, one.install) ==
               std::tie(other.target, other.baseline, other.architectures, other.install) &&
           same(one.packages, other.packages);
  });
}

bool same_contents(const bundle::Contents& a, const bundle::Contents& b) {
  // Images of a version that is not said are not written.
  const bool images = a.kubernetes_version.empty() || a.kubernetes_images == b.kubernetes_images;
  const auto blobs = [](const auto& one, const auto& other) {
    return fields(one.second) == fields(other.second);
  };
  return fields(a) == fields(b) && images && same(a.head, b.head) && same(a.images, b.images) &&
         same(a.files, b.files) && same_sets(a, b) && std::ranges::equal(a.blobs, b.blobs, blobs);
}

}  // namespace

/// What is accepted keeps the promises of the header, and what is written of it reads the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto contents =
      bundle::parse_contents(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!contents) {
    const auto code = contents.error().code();
    if (code != sealift::ErrorCode::integrity && code != sealift::ErrorCode::unsupported) std::abort();
    return 0;
  }
  check_extents(*contents);
  check_names(*contents);
  const auto again = bundle::parse_contents(bundle::write_contents(*contents), "again");
  if (!again || !same_contents(*contents, *again)) std::abort();
  return 0;
}
