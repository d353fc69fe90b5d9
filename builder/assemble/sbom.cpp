#include "builder/assemble/sbom.hpp"

#include "lib/base/json.hpp"
#include "lib/base/version.hpp"

namespace sealift::builder {

namespace {

using bundle::Lock;
using bundle::LockedBlob;

class Document {
 public:
  explicit Document(const Lock& lock) : lock_(&lock) {}

  /// One SPDX package with its relation to the document. `purl` may be empty.
  void add(const std::string& name, const std::string& version, const Digest& digest,
           const std::string& location, const std::string& purl) {
    const std::string id = fmt::format("SPDXRef-{}", ++count_);
    json::Object package{
        {"SPDXID", id},
        {"name", name},
        {"versionInfo", version},
        {"downloadLocation", location.empty() ? "NOASSERTION" : location},
        {"filesAnalyzed", false},
        {"checksums", json::Array{json::Object{{"algorithm", "SHA256"}, {"checksumValue", digest.hex()}}}},
        {"licenseConcluded", "NOASSERTION"},
        {"licenseDeclared", "NOASSERTION"},
        {"copyrightText", "NOASSERTION"}};
    if (!purl.empty()) {
      package["externalRefs"] = json::Array{json::Object{
          {"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", "purl"}, {"referenceLocator", purl}}};
    }
    packages_.push_back(std::move(package));
    relationships_.push_back(json::Object{{"spdxElementId", "SPDXRef-DOCUMENT"},
                                          {"relationshipType", "DESCRIBES"},
                                          {"relatedSpdxElement", id}});
  }

  std::string write() {
    return json::serialize_pretty(json::Object{
        {"spdxVersion", "SPDX-2.3"},
        {"dataLicense", "CC0-1.0"},
        {"SPDXID", "SPDXRef-DOCUMENT"},
        {"name", fmt::format("{}-{}", lock_->name, lock_->version)},
        {"documentNamespace",
         fmt::format("https://sealift.invalid/spdx/{}/{}", lock_->name, digest_of(write_lock(*lock_)).hex())},
        {"creationInfo",
         json::Object{{"created", format_rfc3339(lock_->time)},
                      {"creators", json::Array{fmt::format("Tool: sealift-{}", kSealiftVersion)}}}},
        {"packages", std::move(packages_)},
        {"relationships", std::move(relationships_)}});
  }

 private:
  const Lock* lock_;
  json::Array packages_;
  json::Array relationships_;
  unsigned count_ = 0;
};

/// "registry.k8s.io/pause:3.10" split before the tag; a ':' of a port stands before the last '/'.
std::pair<std::string, std::string> split_tag(const std::string& name) {
  const std::string plain = name.substr(0, name.find('@'));
  const std::size_t slash = plain.rfind('/');
  const std::size_t colon = plain.find(':', slash == std::string::npos ? 0 : slash);
  if (colon == std::string::npos) return {plain, ""};
  return {plain.substr(0, colon), plain.substr(colon + 1)};
}

std::string oci_purl(const std::string& repository, const std::string& tag, const Digest& digest) {
  const std::string last = repository.substr(repository.rfind('/') + 1);
  return fmt::format("pkg:oci/{}@sha256%3A{}?repository_url={}{}", last, digest.hex(), repository,
                     tag.empty() ? "" : "&tag=" + tag);
}

}  // namespace

std::string write_sbom(const Lock& lock) {
  Document document(lock);
  for (const bundle::LockedImage& image : lock.images) {
    const auto [repository, tag] = split_tag(image.name);
    document.add(image.name, tag, image.digest, "", oci_purl(repository, tag, image.digest));
  }
  for (const bundle::LockedPackageSet& set : lock.package_sets) {
    const std::string distribution = set.target.substr(0, set.target.find('-'));
    for (const bundle::LockedPackage& package : set.packages) {
      document.add(package.name, package.version, package.digest, lock.blobs.at(package.digest).origin.url,
                   fmt::format("pkg:deb/{}/{}@{}?arch={}&distro={}", distribution, package.name,
                               package.version, package.architecture, set.target));
    }
  }
  for (const bundle::LockedFile& file : lock.files) {
    document.add(file.path, "", file.digest, lock.blobs.at(file.digest).origin.url, "");
  }
  return document.write();
}

}  // namespace sealift::builder
