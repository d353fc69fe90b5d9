/// Makes small real bundles for tests, through the same plan and writer as `sealift create`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/plan.hpp"
#include "lib/crypto/ed25519.hpp"

namespace sealift::test {

/// A lock under construction with the bytes of everything in it.
class BundleRecipe {
 public:
  BundleRecipe();

  /// A served file at files/<path>.
  BundleRecipe& file(const std::string& path, std::string content, const std::string& role = "", const std::string& platform = "");
  /// A single-platform OCI image (linux/amd64) with these layers' bytes as they are; layers should be tar or tar+gzip.
  BundleRecipe& image(const std::string& name, const std::vector<std::string>& layers);
  /// Any blob under an image's name: for manifests, indexes and artifacts made by the test. The first is the root.
  BundleRecipe& image_blobs(const std::string& name, const std::string& root_media_type,
                            const std::vector<std::pair<std::string, std::string>>& media_type_and_content);
  /// A file of the served tree under its full path, such as apt/x/dists/stable/Release.
  BundleRecipe& generated(const std::string& path, std::string content, const std::string& media_type = "text/plain");
  BundleRecipe& program(std::string content);

  bundle::Lock& lock() { return lock_; }

  /// Plans, writes and signs. The file must not exist yet.
  Status write(const fs::path& path, const std::vector<const PrivateKey*>& signers) const;
  Result<bundle::Plan> plan() const;
  const std::string& content(const Digest& digest) const { return content_.at(digest); }

 private:
  Digest add(std::string content, const std::string& media_type);

  bundle::Lock lock_;
  std::map<Digest, std::string> content_;
  std::vector<bundle::GeneratedFile> generated_;
  std::vector<bundle::ProgramFile> programs_;
};

/// A recipe with two images, a few files and a program: enough for most tests.
BundleRecipe small_bundle();

}  // namespace sealift::test
