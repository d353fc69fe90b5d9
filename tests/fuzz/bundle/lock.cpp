#include "lib/bundle/lock.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "lib/base/files.hpp"

namespace bundle = sealift::bundle;

namespace {

void check_references(const bundle::Lock& lock) {
  for (const auto& image : lock.images) {
    for (const auto& digest : image.blobs) {
      if (lock.blobs.at(digest).stored) std::abort();
    }
  }
  for (const auto& file : lock.files) {
    if (!lock.blobs.contains(file.digest) || !sealift::is_confined_path(file.path)) std::abort();
  }
  for (const auto& set : lock.package_sets) {
    for (const auto& package : set.packages) {
      if (!lock.blobs.contains(package.digest) || !sealift::is_confined_path(package.filename)) std::abort();
    }
  }
  for (const auto& [digest, blob] : lock.blobs) {
    if (blob.digest != digest) std::abort();
    if (blob.stored && (blob.stored->size == 0 || blob.stored->size >= blob.size)) std::abort();
    const bool inlined = blob.origin.kind == bundle::OriginKind::inlined;
    if (inlined && blob.origin.content.size() != blob.size) std::abort();
  }
}

auto fields(const bundle::LockedImage& image) {
  return std::tie(image.name, image.digest, image.size, image.media_type, image.platforms, image.blobs);
}
auto fields(const bundle::LockedFile& file) {
  return std::tie(file.path, file.mode, file.role, file.platform, file.digest);
}
auto fields(const bundle::LockedPackage& package) {
  return std::tie(package.name, package.version, package.architecture, package.filename, package.digest,
                  package.control);
}
auto fields(const bundle::StoredForm& stored) { return std::tie(stored.digest, stored.size, stored.by); }
auto fields(const bundle::LockedBlob& blob) {
  return std::tie(blob.digest, blob.size, blob.media_type, blob.origin.kind, blob.origin.repository,
                  blob.origin.url, blob.origin.content, blob.origin.evidence);
}
auto fields(const bundle::Lock& lock) {
  return std::tie(lock.name, lock.version, lock.spec_digest, lock.time, lock.platforms,
                  lock.kubernetes_version);
}

template <typename Items>
bool same(const Items& a, const Items& b) {
  return std::ranges::equal(a, b,
                            [](const auto& one, const auto& other) { return fields(one) == fields(other); });
}

bool same_sets(const bundle::Lock& a, const bundle::Lock& b) {
  return std::ranges::equal(a.package_sets, b.package_sets, [](const auto& one, const auto& other) {
    return std::tie(one.target, one.baseline, one.architectures, one.install) ==
               std::tie(other.target, other.baseline, other.architectures, other.install) &&
           same(one.packages, other.packages);
  });
}

bool same_lock(const bundle::Lock& a, const bundle::Lock& b) {
  // Images of a version that is not said are not written.
  const bool images = a.kubernetes_version.empty() || a.kubernetes_images == b.kubernetes_images;
  const auto blobs = [](const auto& one, const auto& other) {
    const auto& stored = one.second.stored;
    return fields(one.second) == fields(other.second) &&
           stored.has_value() == other.second.stored.has_value() &&
           (!stored || fields(*stored) == fields(*other.second.stored));
  };
  return fields(a) == fields(b) && images && same(a.images, b.images) && same(a.files, b.files) &&
         same_sets(a, b) && std::ranges::equal(a.blobs, b.blobs, blobs);
}

}  // namespace

/// What is accepted hangs together, and what is written of it reads the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lock = bundle::parse_lock(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!lock) return 0;
  check_references(*lock);
  const auto again = bundle::parse_lock(bundle::write_lock(*lock), "again");
  if (!again || !same_lock(*lock, *again)) std::abort();
  return 0;
}
