#include <algorithm>

#include "builder/resolve/image_resolver.hpp"
#include "builder/resolve/parallel.hpp"
#include "builder/resolve/resolve.hpp"

namespace sealift::builder {

namespace {

struct WantedImage {
  oci::Reference reference;
  std::vector<std::string> platforms;
};

/// By full name, so that the order in bundle.yaml changes nothing; the platforms of repeated entries are
/// united.
Result<std::map<std::string, WantedImage>> merge_specs(const std::vector<bundle::ImageSpec>& specs,
                                                       const std::vector<std::string>& platforms) {
  std::map<std::string, WantedImage> wanted;
  for (const bundle::ImageSpec& spec : specs) {
    TRY_ASSIGN(oci::Reference reference, within(oci::Reference::parse(spec.name), "images"));
    const std::string name = reference.str();
    WantedImage& entry = wanted.try_emplace(name, WantedImage{std::move(reference), {}}).first->second;
    const auto& own = spec.platforms.empty() ? platforms : spec.platforms;
    entry.platforms.insert(entry.platforms.end(), own.begin(), own.end());
  }
  return wanted;
}

}  // namespace

Result<ResolvedImages> resolve_images(const std::vector<bundle::ImageSpec>& specs,
                                      const ResolveContext& context) {
  TRY_ASSIGN(const auto merged, merge_specs(specs, context.platforms));
  std::vector<const WantedImage*> wanted;
  for (const auto& [name, image] : merged) wanted.push_back(&image);
  std::vector<ResolvedImages> resolved(wanted.size());
  TRY(for_each_parallel(wanted.size(), context.jobs, [&](std::size_t i) -> Status {
    TRY_ASSIGN(const WantedPlatforms platforms, WantedPlatforms::parse(wanted[i]->platforms));
    ImageResolver resolver(wanted[i]->reference, platforms, context.fetcher.registry(), context.log);
    TRY_ASSIGN(resolved[i], resolver.resolve());
    return {};
  }));
  // In the order of the names, so that a blob two images share always gets the same origin.
  std::map<std::string, bundle::LockedImage> images;
  ResolvedImages result;
  for (ResolvedImages& one : resolved) {
    for (bundle::LockedImage& image : one.images) {
      const auto [known, added] = images.try_emplace(image.name, image);
      // Asked for by a person and carried along as a signature: the person's entry has the platforms.
      if (!added && known->second.platforms.empty()) known->second = std::move(image);
    }
    for (auto& [digest, blob] : one.blobs) {
      const auto [known, added] = result.blobs.try_emplace(digest, blob);
      if (!added && known->second.size != blob.size) {
        return fail(ErrorCode::integrity, "{} is listed with {} bytes in {} and with {} in {}", digest.str(),
                    known->second.size, known->second.origin.repository, blob.size, blob.origin.repository);
      }
    }
  }
  for (auto& [name, image] : images) result.images.push_back(std::move(image));
  return result;
}

}  // namespace sealift::builder
