#include <algorithm>

#include "builder/resolve/image_resolver.hpp"

namespace sealift::builder {

namespace {

/// BuildKit marks provenance and SBOM manifests as unknown/unknown and says in an annotation what they are
/// about.
constexpr const char* kAttestedDigest = "vnd.docker.reference.digest";

bool is_attestation(const oci::Descriptor& descriptor) {
  return descriptor.annotations.contains(kAttestedDigest);
}

bool has_platform(const oci::Descriptor& descriptor, const oci::Platform& platform) {
  return descriptor.platform && *descriptor.platform == platform && !is_attestation(descriptor);
}

/// What satisfies a platform, best first: a v7 machine runs older code, as containerd's matcher has it.
std::vector<oci::Platform> acceptable(const oci::Platform& platform) {
  std::vector<oci::Platform> result{platform};
  if (platform.architecture == "arm" && platform.variant.empty()) {
    result.push_back({platform.os, "arm", "v6"});
    result.push_back({platform.os, "arm", "v5"});
  }
  return result;
}

std::string platforms_of(const oci::Index& index) {
  std::set<std::string> names;
  for (const oci::Descriptor& descriptor : index.manifests) {
    if (descriptor.platform && !is_attestation(descriptor)) names.insert(descriptor.platform->str());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

bool names_no_platform(const oci::Index& index) {
  return std::none_of(index.manifests.begin(), index.manifests.end(),
                      [](const auto& descriptor) { return descriptor.platform.has_value(); });
}

}  // namespace

Result<WantedPlatforms> WantedPlatforms::parse(const std::vector<std::string>& texts) {
  WantedPlatforms wanted;
  for (const std::string& text : texts) {
    if (text == "all") {
      wanted.all = true;
      continue;
    }
    TRY_ASSIGN(oci::Platform platform, oci::Platform::parse(text));
    if (std::find(wanted.platforms.begin(), wanted.platforms.end(), platform) == wanted.platforms.end()) {
      wanted.platforms.push_back(std::move(platform));
    }
  }
  return wanted;
}

Result<std::vector<oci::Descriptor>> choose_manifests(const oci::Index& index, const WantedPlatforms& wanted,
                                                      const std::string& name) {
  if (wanted.all || names_no_platform(index)) return index.manifests;
  std::set<Digest> chosen;
  for (const oci::Platform& platform : wanted.platforms) {
    bool found = false;
    for (const oci::Platform& candidate : acceptable(platform)) {
      for (const oci::Descriptor& descriptor : index.manifests) {
        if (!has_platform(descriptor, candidate)) continue;
        chosen.insert(descriptor.digest);
        found = true;
      }
      if (found) break;
    }
    if (!found) {
      return fail(ErrorCode::not_found,
                  "{} has nothing for {}; it has {}; give this image a `platforms:` list of its own", name,
                  platform.str(), platforms_of(index));
    }
  }
  std::vector<oci::Descriptor> result;
  for (const oci::Descriptor& descriptor : index.manifests) {
    const auto about = descriptor.annotations.find(kAttestedDigest);
    const bool wanted_attestation = about != descriptor.annotations.end() &&
                                    std::any_of(chosen.begin(), chosen.end(), [&](const Digest& digest) {
                                      return digest.str() == about->second;
                                    });
    if (chosen.contains(descriptor.digest) || wanted_attestation) result.push_back(descriptor);
  }
  return result;
}

}  // namespace sealift::builder
