/// Writes the indexes of an apt repository with one suite, "stable", and one component, "main".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::pkgrepo::apt {

/// One package to be listed.
struct PoolPackage {
  std::string control;   ///< as portable_control() gives it
  std::string filename;  ///< relative to the repository: "pool/main/n/nginx/nginx_1.22.1-9_amd64.deb"
  std::uint64_t size = 0;
  Digest digest;  ///< sha256
};

struct RepositoryIndex {
  std::string path;  ///< relative to the repository: "dists/stable/main/binary-amd64/Packages"
  std::string content;
};

/// Where a package belongs: pool/main/<n>/<source>/<file>, <n> being "libx" for sources that begin with lib.
/// `upstream_filename` lends its last component when that is a plain one, else the name is made of the parts.
std::string pool_path(std::string_view source, std::string_view name, std::string_view version,
                      std::string_view architecture, std::string_view upstream_filename);

/// Packages of each architecture (with the packages of Architecture: all), each
/// also under by-hash/SHA256/, and dists/stable/Release, unsigned; sorted by path. Packages keep their order.
/// The same input gives the same bytes. Errors: a control that is not one sound stanza.
Result<std::vector<RepositoryIndex>> write_repository(const std::vector<PoolPackage>& packages,
                                                      const std::vector<std::string>& architectures,
                                                      Timestamp time, std::string_view description);

}  // namespace sealift::pkgrepo::apt
