#include "builder/lock/lock_bundle.hpp"

#include <algorithm>
#include <set>

#include "builder/packages/package_set.hpp"
#include "builder/resolve/public_url.hpp"
#include "builder/resolve/resolve.hpp"
#include "lib/base/progress.hpp"

namespace sealift::builder {

namespace {

using bundle::Lock;

void add_files(ResolvedFiles resolved, Lock& lock) {
  std::move(resolved.files.begin(), resolved.files.end(), std::back_inserter(lock.files));
  lock.blobs.merge(resolved.blobs);
}

/// The same image may be asked for by the profile, by kubeadm and by a manifest.
void add_image(std::vector<bundle::ImageSpec>& images, bundle::ImageSpec image) {
  const bool known = std::any_of(images.begin(), images.end(), [&](const auto& other) {
    return other.name == image.name && other.platforms == image.platforms;
  });
  if (!known) images.push_back(std::move(image));
}

Status lock_packages(const bundle::Spec& spec, Fetcher& fetcher, const LockOptions& options, Log& log,
                     Lock& lock) {
  if (spec.package_sets.empty()) return {};
  std::vector<std::string> architectures;
  for (const std::string& platform : spec.platforms) {
    TRY_ASSIGN(std::string architecture, debian_architecture(platform));
    architectures.push_back(std::move(architecture));
  }
  const PackageSetContext context{[&fetcher](const std::string& url, std::uint64_t limit_bytes) {
                                    return fetcher.fetch_document(url, limit_bytes);
                                  },
                                  log,
                                  options.spec_directory,
                                  options.baseline_directories,
                                  architectures,
                                  now};
  for (const bundle::PackageSetSpec& set : spec.package_sets) {
    TRY_ASSIGN(ResolvedPackageSet resolved, resolve_package_set(set, context));
    log.info("packages for {}: {} beyond the baseline {}", set.target, resolved.set.packages.size(),
             set.baseline);
    for (bundle::LockedBlob& blob : resolved.blobs) {
      const Digest digest = blob.digest;
      lock.blobs.emplace(digest, std::move(blob));
    }
    lock.package_sets.push_back(std::move(resolved.set));
  }
  return {};
}

/// What is also a part of an image or a package stays as it is: these are not served decompressed.
void keep_shared_blobs_plain(Lock& lock) {
  const auto keep_plain = [&lock](const Digest& digest) {
    if (const auto blob = lock.blobs.find(digest); blob != lock.blobs.end()) blob->second.stored.reset();
  };
  for (const bundle::LockedImage& image : lock.images) {
    keep_plain(image.digest);
    for (const Digest& digest : image.blobs) keep_plain(digest);
  }
  for (const bundle::LockedPackageSet& set : lock.package_sets) {
    for (const bundle::LockedPackage& package : set.packages) keep_plain(package.digest);
  }
}

}  // namespace

Result<Lock> lock_bundle(const bundle::Spec& spec, Fetcher& fetcher, const LockOptions& options, Log& log) {
  TRY(check_public_urls(spec));
  const ResolveContext context{fetcher, log, spec.platforms, options.jobs, spec.compress_files};
  Lock lock;
  lock.name = spec.name;
  lock.version = spec.version;
  lock.time = options.time;
  lock.platforms = spec.platforms;

  std::vector<bundle::ImageSpec> images = spec.images;
  if (spec.kubernetes) {
    TRY_ASSIGN(ResolvedKubernetes kubernetes, resolve_kubernetes(*spec.kubernetes, context));
    lock.kubernetes_version = kubernetes.version;
    lock.kubernetes_images = kubernetes.images;
    log.info("kubernetes {}: {} images listed by its kubeadm", kubernetes.version, kubernetes.images.size());
    for (const std::string& name : kubernetes.images) add_image(images, {name, {}});
    add_files(std::move(kubernetes.files), lock);
  }
  TRY_ASSIGN(ResolvedManifests manifests, resolve_manifests(spec.manifests, options.spec_directory, context));
  for (bundle::ImageSpec& image : manifests.images) add_image(images, std::move(image));
  add_files(std::move(manifests.files), lock);
  TRY_ASSIGN(ResolvedFiles components, resolve_components(spec.components, context));
  add_files(std::move(components), lock);
  TRY_ASSIGN(ResolvedFiles files, resolve_files(spec.files, context));
  add_files(std::move(files), lock);
  TRY_ASSIGN(ResolvedImages resolved, resolve_images(images, context));
  lock.images = std::move(resolved.images);
  lock.blobs.merge(resolved.blobs);
  log.info("images: {}", lock.images.size());
  TRY(lock_packages(spec, fetcher, options, log, lock));
  std::sort(lock.files.begin(), lock.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });

  keep_shared_blobs_plain(lock);

  std::uint64_t bytes = 0;
  std::uint64_t bundled_bytes = 0;
  for (const auto& [digest, blob] : lock.blobs) {
    bytes += blob.size;
    bundled_bytes += blob.bundled_size();
  }
  log.info("locked {} blobs, {} to fetch, {} in the bundle", lock.blobs.size(), format_bytes(bytes),
           format_bytes(bundled_bytes));
  return lock;
}

}  // namespace sealift::builder
