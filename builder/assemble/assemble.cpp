#include "builder/assemble/assemble.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "builder/assemble/compress.hpp"

namespace sealift::builder {

namespace {

using bundle::BlobSink;
using bundle::BundleWriter;
using bundle::Plan;
using bundle::WantedBlob;

std::string describe(const bundle::LockedBlob& blob) {
  const std::string from = blob.origin.repository.empty() ? blob.origin.url : blob.origin.repository;
  return fmt::format("{} ({})", from, blob.digest.str());
}

/// Reports progress, and lets one stream's failure stop the others at their next bytes.
class ReportingSink final : public Sink {
 public:
  ReportingSink(Sink& to, Progress& progress, std::uint64_t item, const std::atomic<bool>& stop)
      : to_(&to), progress_(&progress), item_(item), stop_(&stop) {}
  Status write(Bytes data) override {
    if (stop_->load(std::memory_order_relaxed)) return fail(ErrorCode::interrupted, "stopped");
    TRY(to_->write(data));
    progress_->advance(item_, data.size());
    return {};
  }

 private:
  Sink* to_;
  Progress* progress_;
  std::uint64_t item_;
  const std::atomic<bool>* stop_;
};

class Assembly {
 public:
  Assembly(BundleWriter& writer, const FetchBlob& fetch, Progress& progress, Log& log)
      : writer_(&writer), fetch_(&fetch), progress_(&progress), log_(&log) {}

  Status run(const Plan& plan, unsigned jobs) {
    std::vector<const WantedBlob*> queue;
    for (const WantedBlob& wanted : plan.wanted) queue.push_back(&wanted);
    // The largest first: no big one is left over for a single stream at the end.
    std::stable_sort(queue.begin(), queue.end(),
                     [](const auto* a, const auto* b) { return a->blob.size > b->blob.size; });
    progress_->total(plan.wanted_bytes);
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < queue.size() && !stop_; i = next++) {
        if (Status fetched = fetch_one(*queue[i]); !fetched)
          note_failure(std::move(fetched).error(), *queue[i]);
      }
    };
    std::vector<std::thread> workers;
    for (unsigned i = 1; i < std::max(1U, jobs); ++i) workers.emplace_back(work);
    work();
    for (std::thread& worker : workers) worker.join();
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

 private:
  Status fetch_one(const WantedBlob& wanted) {
    const std::string from =
        wanted.blob.origin.repository.empty() ? wanted.blob.origin.url : wanted.blob.origin.repository;
    const std::uint64_t item = progress_->begin(from, wanted.blob.size);
    Status status = fetch_into(wanted, item);
    progress_->end(item);
    return status;
  }

  Status fetch_into(const WantedBlob& wanted, std::uint64_t item) {
    if (writer_->is_complete(wanted)) {
      progress_->advance(item, wanted.blob.size);
      return {};
    }
    TRY_ASSIGN(const auto sink, writer_->begin(wanted));
    if (wanted.blob.stored) return compress_into(wanted, *sink, item);
    const bool continued = sink->position() != 0;
    progress_->advance(item, sink->position());
    ReportingSink reporting(*sink, *progress_, item, stop_);
    if (sink->position() < wanted.blob.size) TRY((*fetch_)(wanted.blob, sink->position(), reporting));
    Status committed = sink->commit();
    if (committed || committed.error().code() != ErrorCode::integrity || !continued) return committed;
    // What an interrupted run left was damaged (a power cut may lose written pages): once more from the first
    // byte.
    log_->warning("{}: the part left by an interrupted run was damaged, fetching it again",
                  describe(wanted.blob));
    TRY((*fetch_)(wanted.blob, 0, reporting));
    return sink->commit();
  }

  Status compress_into(const WantedBlob& wanted, BlobSink& sink, std::uint64_t item) {
    const auto fetch = [&](Sink& to) {
      ReportingSink reporting(to, *progress_, item, stop_);
      return (*fetch_)(wanted.blob, 0, reporting);
    };
    return compress_blob(wanted.blob, fetch, sink);
  }

  void note_failure(Error error, const WantedBlob& wanted) {
    stop_ = true;
    const std::lock_guard lock(mutex_);
    // Others stop because one failed: that one's error counts.
    if (failure_ && failure_->code() != ErrorCode::interrupted) return;
    failure_ = std::move(error).within(describe(wanted.blob));
  }

  BundleWriter* writer_;
  const FetchBlob* fetch_;
  Progress* progress_;
  Log* log_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace

Status assemble(BundleWriter& writer, const Plan& plan, const FetchBlob& fetch, unsigned jobs,
                Progress& progress, Log& log) {
  return Assembly(writer, fetch, progress, log).run(plan, jobs);
}

}  // namespace sealift::builder
