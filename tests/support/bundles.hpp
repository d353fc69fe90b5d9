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
  BundleRecipe& file(const std::string& path, std::string content, const std::string& role = "",
                     const std::string& platform = "");
  /// As file, stored compressed; the content must become smaller by that.
  BundleRecipe& compressed(const std::string& path, std::string content, const std::string& role = "",
                           const std::string& platform = "");
  /// Stores these bytes in place of the compressed form of that file, as a builder gone wrong would.
  BundleRecipe& replace_stored(const Digest& file, std::string frame);
  /// A single-platform OCI image (linux/amd64) with these layers' bytes as they are; layers should be tar or
  /// tar+gzip.
  BundleRecipe& image(const std::string& name, const std::vector<std::string>& layers);
  /// Any blob under an image's name: for manifests, indexes and artifacts made by the test. The first is the
  /// root.
  BundleRecipe& image_blobs(const std::string& name, const std::string& root_media_type,
                            const std::vector<std::pair<std::string, std::string>>& media_type_and_content);
  /// A file of the served tree under its full path, such as apt/x/dists/stable/Release.
  BundleRecipe& generated(const std::string& path, std::string content,
                          const std::string& media_type = "text/plain");
  BundleRecipe& program(std::string content);

  bundle::Lock& lock() { return lock_; }

  /// Plans, writes and signs. The file must not exist yet.
  Status write(const fs::path& path, const std::vector<const PrivateKey*>& signers) const;
  Result<bundle::Plan> plan() const;
  /// By the digest it has in the bundle; of compressed files also by their own.
  const std::string& content(const Digest& digest) const { return content_.at(digest); }

 private:
  Digest add(std::string content, const std::string& media_type);

  bundle::Lock lock_;
  std::map<Digest, std::string> content_;
  std::vector<bundle::GeneratedFile> generated_;
  std::vector<bundle::ProgramFile> programs_;
};

/// What lib/archive/zstd.hpp makes of it.
std::string zstd_frame(const std::string& content);

/// Text of this size that zstd makes smaller by more than half, and another for each seed.
std::string compressible_text(std::size_t size, unsigned seed);

/// A recipe with two images, a few files (one of them stored compressed) and a program: enough for most
/// tests.
BundleRecipe small_bundle();

}  // namespace sealift::test
