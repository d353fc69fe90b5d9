#include "repo-server/mount/content_loader.hpp"

namespace sealift::repo_server {
namespace {

std::string job_key(std::string_view verb, const MountedBlob& blob, const Digest& digest) {
  return fmt::format("{} {} in {} of {}", verb, digest.str(), blob.entry->digest.str(),
                     fmt::ptr(blob.bundle));
}

}  // namespace

ContentLoader::ContentLoader(unsigned threads, std::uint64_t cache_bytes) : cache_limit_bytes_(cache_bytes) {
  threads_.emplace_back([this] { work(Weight::small); });
  for (unsigned i = 0; i < std::max(1U, threads); ++i) {
    threads_.emplace_back([this] { work(Weight::large); });
  }
}

void ContentLoader::stop() {
  std::map<std::string, std::vector<Done>> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    small_.clear();
    large_.clear();
    waiting.swap(waiting_);
  }
  wake_.notify_all();
  for (auto& [key, all] : waiting) {
    for (Done& done : all) done(fail(ErrorCode::interrupted, "the server is being stopped"));
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void ContentLoader::enqueue(Weight weight, const std::string& key, std::function<Status()> work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      auto& waiting = waiting_[key];
      waiting.push_back(std::move(done));
      if (waiting.size() == 1) {
        (weight == Weight::small ? small_ : large_).push_back({key, std::move(work)});
        wake_.notify_all();
      }
      return;
    }
  }
  done(fail(ErrorCode::interrupted, "the server is being stopped"));
}

void ContentLoader::work(Weight heaviest) {
  std::unique_lock lock(mutex_);
  const auto next = [&]() -> std::deque<Job>* {
    if (!small_.empty()) return &small_;
    return heaviest == Weight::large && !large_.empty() ? &large_ : nullptr;
  };
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || next() != nullptr; });
    if (stopping_) return;
    auto* queue = next();
    const Job job = std::move(queue->front());
    queue->pop_front();
    lock.unlock();
    const Status status = job.work();
    lock.lock();
    std::vector<Done> waiting;
    if (auto found = waiting_.extract(job.key)) waiting = std::move(found.mapped());
    lock.unlock();
    for (Done& done : waiting) done(status);
    lock.lock();
  }
}

void ContentLoader::check(const MountedBlob& blob, Done done) {
  const Digest digest = blob.entry->digest;
  const Weight weight = blob.entry->size <= kMaxManifestBytes ? Weight::small : Weight::large;
  enqueue(
      weight, job_key("check", blob, digest),
      [this, mounted = blob.bundle, digest]() -> Status {
        TRY(mounted->check_unchanged());
        return mounted->verified().check_blob(digest, &stopping_);
      },
      std::move(done));
}

void ContentLoader::check_content(const MountedBlob& blob, const bundle::FileEntry& file, Done done) {
  const Weight weight = file.size <= kMaxManifestBytes ? Weight::small : Weight::large;
  enqueue(
      weight, job_key("check content", blob, file.digest),
      [this, mounted = blob.bundle, file]() -> Status {
        TRY(mounted->check_unchanged());
        return mounted->verified().check_file(file, &stopping_);
      },
      std::move(done));
}

void ContentLoader::load(const MountedBlob& blob, Done done) {
  const Digest digest = blob.entry->digest;
  enqueue(
      Weight::small, job_key("load", blob, digest),
      [this, mounted = blob.bundle, digest]() -> Status {
        TRY(mounted->check_unchanged());
        TRY_ASSIGN(std::string content, mounted->verified().read_blob(digest, kMaxManifestBytes));
        remember(digest, std::move(content));
        return {};
      },
      std::move(done));
}

void ContentLoader::run(std::function<Status()> work, Done done) {
  std::string key;
  {
    const std::lock_guard lock(mutex_);
    key = "run " + std::to_string(next_anonymous_++);
  }
  enqueue(Weight::large, key, std::move(work), std::move(done));
}

std::shared_ptr<const std::string> ContentLoader::cached(const Digest& digest) const {
  const std::shared_lock lock(cache_mutex_);
  const auto found = cache_.find(digest);
  if (found == cache_.end()) return nullptr;
  found->second.used.store(true, std::memory_order_relaxed);
  return found->second.content;
}

void ContentLoader::remember(const Digest& digest, std::string content) {
  const std::unique_lock lock(cache_mutex_);
  if (cache_.contains(digest)) return;
  cache_bytes_ += content.size();
  while (cache_bytes_ > cache_limit_bytes_ && !cache_order_.empty()) {
    const Digest oldest = cache_order_.front();
    cache_order_.pop_front();
    auto entry = cache_.find(oldest);
    if (entry->second.used.exchange(false, std::memory_order_relaxed)) {
      entry->second.place = cache_order_.insert(cache_order_.end(), oldest);
      continue;
    }
    cache_bytes_ -= entry->second.content->size();
    cache_.erase(entry);
  }
  auto& entry = cache_[digest];
  entry.content = std::make_shared<const std::string>(std::move(content));
  entry.place = cache_order_.insert(cache_order_.end(), digest);
}

}  // namespace sealift::repo_server
