#include <algorithm>

#include "builder/packages/package_set.hpp"
#include "lib/pkgrepo/apt/repository.hpp"

namespace sealift::builder {
namespace {

namespace apt = pkgrepo::apt;

constexpr std::string_view kReleasePath = "dists/stable/Release";

std::string media_type_of(std::string_view path) {
  // A by-hash alias does not say what it is.
  return path.find("/by-hash/") != std::string_view::npos ? "application/octet-stream" : "text/plain";
}

Result<std::vector<apt::PoolPackage>> pool_packages(const bundle::LockedPackageSet& set,
                                                    const std::map<Digest, bundle::LockedBlob>& blobs) {
  std::vector<apt::PoolPackage> packages;
  for (const bundle::LockedPackage& package : set.packages) {
    const auto blob = blobs.find(package.digest);
    if (blob == blobs.end()) {
      return fail(ErrorCode::integrity, "the lock has no blob {} for package {}", package.digest.str(),
                  package.name);
    }
    packages.push_back({package.control, package.filename, blob->second.size, package.digest});
  }
  return packages;
}

}  // namespace

Result<std::vector<RepositoryFile>> generate_repository(const bundle::LockedPackageSet& set,
                                                        const std::map<Digest, bundle::LockedBlob>& blobs,
                                                        Timestamp time, const openpgp::SecretKey& key) {
  TRY_ASSIGN(const auto packages, pool_packages(set, blobs));
  TRY_ASSIGN(auto indexes,
             apt::write_repository(packages, set.architectures, time,
                                   fmt::format("Packages for {}, carried by Sealift", set.target)));
  // A key made after the lock cannot have signed before it existed.
  const Timestamp signed_at = std::max(time, key.created());
  const std::string root = fmt::format("apt/{}/", set.target);
  std::vector<RepositoryFile> files;
  for (apt::RepositoryIndex& index : indexes) {
    if (index.path == kReleasePath) {
      TRY_ASSIGN(std::string in_release, key.sign_cleartext(index.content, signed_at));
      TRY_ASSIGN(std::string signature, key.sign_detached(index.content, signed_at));
      files.push_back({root + "dists/stable/InRelease", std::move(in_release), "text/plain"});
      files.push_back({root + "dists/stable/Release.gpg", std::move(signature), "application/pgp-signature"});
    }
    const std::string media_type = media_type_of(index.path);
    files.push_back({root + index.path, std::move(index.content), media_type});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::vector<RepositoryFile> repository_key_files(const openpgp::SecretKey& key) {
  return {{"keys/repository.asc", key.armoured_public_key(), "application/pgp-keys"},
          {"keys/repository.gpg", key.public_key(), "application/pgp-keys"}};
}

}  // namespace sealift::builder
