/// Work that reads bundles, on a few threads of its own: blobs are checked before they are served, manifests
/// are read into a bounded cache.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "repo-server/mount/overlay.hpp"

namespace sealift::repo_server {

/// Manifests larger than this are not served; registries agree on 4 MiB (distribution-spec, pushing
/// manifests).
inline constexpr std::uint64_t kMaxManifestBytes = 4U << 20;

/// Thread-safe. Callbacks run on a thread of the loader and must be short.
class ContentLoader {
 public:
  using Done = std::function<void(Status)>;

  /// `threads` for blobs of any size, and one more that takes only small work, so that a manifest never waits
  /// for gigabytes.
  ContentLoader(unsigned threads, std::uint64_t cache_bytes);
  ~ContentLoader() { stop(); }
  ContentLoader(const ContentLoader&) = delete;
  ContentLoader& operator=(const ContentLoader&) = delete;

  /// Calls `done` once the blob's digest has been checked; those who ask for the same blob meanwhile wait for
  /// the one check.
  void check(const MountedBlob& blob, Done done);
  /// As check, for the file that lies compressed in the blob: its own digest is checked, too.
  void check_content(const MountedBlob& blob, const bundle::FileEntry& file, Done done);
  /// Reads and checks a small blob so that cached() has it.
  void load(const MountedBlob& blob, Done done);
  /// The blob's bytes if they are in the cache.
  std::shared_ptr<const std::string> cached(const Digest& digest) const;
  /// Runs `work` on one of the threads; `done` gets its result.
  void run(std::function<Status()> work, Done done);

  /// Fails what waits with ErrorCode::interrupted and ends the reading. Idempotent.
  void stop();

 private:
  struct CacheEntry {
    std::shared_ptr<const std::string> content;
    mutable std::atomic<bool> used = true;
    std::list<Digest>::iterator place;
  };
  enum class Weight { small, large };
  struct Job {
    std::string key;
    std::function<Status()> work;
  };
  /// One thread's life: small work first, large work only where `heaviest` says so.
  void work(Weight heaviest);
  /// `key` tells jobs apart that are the same work.
  void enqueue(Weight weight, const std::string& key, std::function<Status()> work, Done done);
  void remember(const Digest& digest, std::string content);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> small_;
  std::deque<Job> large_;
  std::map<std::string, std::vector<Done>> waiting_;
  std::uint64_t next_anonymous_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;

  mutable std::shared_mutex cache_mutex_;
  const std::uint64_t cache_limit_bytes_;
  std::uint64_t cache_bytes_ = 0;
  std::unordered_map<Digest, CacheEntry> cache_;
  std::list<Digest> cache_order_;  // oldest first; second chance
};

}  // namespace sealift::repo_server
