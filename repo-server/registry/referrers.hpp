/// Which manifests refer to which (distribution-spec 1.1, "Listing Referrers"). Found by reading every
/// manifest once, when first asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "repo-server/mount/content_loader.hpp"

namespace sealift::repo_server {

/// Thread-safe.
class Referrers {
 public:
  Referrers(const Overlay& overlay, ContentLoader& loader) : overlay_(overlay), loader_(loader) {}

  bool is_ready() const { return ready_.load(std::memory_order_acquire); }
  /// Reads what has to be read; afterwards is_ready().
  void prepare(ContentLoader::Done done) const;

  /// An image index of the descriptors that refer to `subject`, sorted by digest; with a non-empty
  /// `artifact_type` only those of that type. is_ready() must hold.
  std::string list(const Digest& subject, std::string_view artifact_type) const;

 private:
  struct Referrer {
    Digest digest;
    std::string artifact_type;
    std::string descriptor;  // JSON
  };
  Status build() const;

  const Overlay& overlay_;
  ContentLoader& loader_;
  mutable std::mutex build_mutex_;
  mutable std::map<Digest, std::vector<Referrer>> by_subject_;
  mutable std::atomic<bool> ready_ = false;
};

}  // namespace sealift::repo_server
