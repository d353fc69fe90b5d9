/// A real package set, locked against this machine's own Debian mirrors and turned into a repository on disk.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "builder/packages/package_set.hpp"
#include "tests/integration/apt/apt_client.hpp"
#include "tests/integration/apt/machine_sources.hpp"

namespace sealift::test {

/// What the nodes of a cluster need from Debian.
inline const std::vector<std::string> kClusterPackages{
    "keepalived", "nginx",   "libnginx-mod-stream",
    "haproxy",    "chrony",  "conntrack",
    "socat",      "ethtool", "ipset",
    "containerd", "runc",    "containernetworking-plugins"};

/// Remembers every download, so that several locks in one program ask the mirror once.
class CachingDownload {
 public:
  Result<std::string> operator()(const std::string& url, std::uint64_t limit_bytes);

 private:
  std::map<std::string, std::string> documents_;
};

/// A minimal Debian of the mirrors' first suite as a tar file, made once by mmdebstrap in ${SEALIFT_CACHE};
/// and what it holds.
struct MinimalSystem {
  fs::path tar;
  std::string status;  ///< its dpkg status file
};
Result<MinimalSystem> minimal_system(const std::vector<bundle::RepositorySpec>& repositories);

/// This machine's Debian architecture.
std::string machine_architecture();

std::map<std::string, std::string> versions_of(const bundle::LockedPackageSet& set);
std::map<Digest, bundle::LockedBlob> blobs_of(const builder::ResolvedPackageSet& resolved);

/// Skips the test without network; gives the fixture's tests the mirrors and one log.
class UpstreamTest : public testing::Test {
 protected:
  void SetUp() override;

  bundle::PackageSetSpec spec(std::string baseline,
                              std::vector<std::string> install = kClusterPackages) const;
  builder::PackageSetContext context();
  /// Writes text into this test's own directory and returns its path.
  std::string file(const std::string& name, const std::string& content);

  std::vector<bundle::RepositorySpec> repositories_;
  std::optional<TemporaryDirectory> directory_;
  Log log_{LogLevel::warning};
};

/// Puts the repository and its .debs (downloaded and checked) below `root`, as the server would show them.
Status write_repository(const builder::ResolvedPackageSet& resolved, const openpgp::SecretKey& key,
                        Timestamp time, const fs::path& root);

}  // namespace sealift::test
