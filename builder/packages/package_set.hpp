/// Operating system packages: what `lock` resolves and what `create` generates from it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/spec.hpp"
#include "lib/crypto/openpgp.hpp"

namespace sealift::builder {

/// Fetches one small document into memory; more than `limit_bytes` is an error. Takes upstream URLs (mirror
/// rules are the callee's business). A document that does not exist must fail with ErrorCode::not_found: the
/// next form is tried.
using Download = std::function<Result<std::string>(const std::string& url, std::uint64_t limit_bytes)>;

/// What resolving needs besides the specification.
struct PackageSetContext {
  Download download;
  Log& log;
  fs::path spec_directory;                     ///< relative keyring and status file paths start here
  std::vector<fs::path> baseline_directories;  ///< searched for <name>.list, in order
  std::vector<std::string> architectures;      ///< Debian names, used when the set names none
  std::function<Timestamp()> clock;            ///< asked at each signature: archives are signed while we lock
};

struct ResolvedPackageSet {
  bundle::LockedPackageSet set;
  std::vector<bundle::LockedBlob> blobs;  ///< one for each .deb, sorted by digest
};

/// Resolves one package set to its closure against the baseline. Every index is checked: OpenPGP signature
/// against the repository's keyring, Date and Valid-Until, suite, size and sha256 of each Packages file. One
/// version of a package is considered, as apt does: that of the highest priority, then the highest version,
/// of all suites.
///
/// Errors: untrusted (signature, validity), integrity (an index differs from its digest), invalid_argument (a
/// package that does not exist, an unknown baseline), conflict (the request cannot be satisfied; quotes the
/// solver).
Result<ResolvedPackageSet> resolve_package_set(const bundle::PackageSetSpec& spec,
                                               const PackageSetContext& context);

/// Debian's name of an OCI platform: "linux/amd64" -> "amd64", "linux/arm/v7" -> "armhf".
Result<std::string> debian_architecture(const std::string& platform);

/// One file of the repository server's tree that `create` generates.
struct RepositoryFile {
  std::string path;  ///< "apt/debian-12/dists/stable/InRelease", "keys/repository.gpg"
  std::string content;
  std::string media_type;
};

/// The signed output repository apt/<target> without its pool (the .debs are blobs already, at
/// "apt/<target>/" + LockedPackage::filename). Suite "stable", component "main". Aliases under
/// by-hash/SHA256/ have the same content as what they stand for. The same set, time and key give the same
/// bytes. Sorted by path.
Result<std::vector<RepositoryFile>> generate_repository(const bundle::LockedPackageSet& set,
                                                        const std::map<Digest, bundle::LockedBlob>& blobs,
                                                        Timestamp time, const openpgp::SecretKey& key);

/// keys/repository.gpg (binary) and keys/repository.asc (armoured): the public key for `signed-by`.
std::vector<RepositoryFile> repository_key_files(const openpgp::SecretKey& key);

}  // namespace sealift::builder
