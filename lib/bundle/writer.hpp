/// Writing a bundle once: every blob goes straight to its final offset, hashed on the way, noted in a
/// journal.
///
/// While it grows the file is `<name>.partial` and the journal `<name>.journal`; seal() syncs and renames.
/// After a kill the same plan continues: whole blobs are re-checked against their digests, half blobs go on
/// where they stopped, except compressed ones, which begin again. Journal: the line `sealift-journal 1 <root
/// digest>`, then `at <digest> <bytes>` and `done <digest>`; a torn last line is ignored.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/plan.hpp"

namespace sealift::bundle {

class BundleWriter;

/// Takes the bytes of one blob, as they are to lie in the file, in order from position() on.
class BlobSink final : public Sink {
 public:
  /// How many bytes of the blob are there already; fetching goes on from here.
  std::uint64_t position() const { return position_; }
  Status write(Bytes data) override;
  /// Forgets what is there: the next byte is the blob's first.
  void restart();
  /// ErrorCode::integrity when size or digest differ; then the sink is as after restart().
  Status commit();

 private:
  friend class BundleWriter;
  BlobSink(BundleWriter& writer, const WantedBlob& wanted) : writer_(&writer), wanted_(&wanted) {}
  BundleWriter* writer_;
  const WantedBlob* wanted_;
  Hasher hasher_;
  std::uint64_t position_ = 0;
  std::uint64_t noted_ = 0;
};

/// Thread-safe: sinks of different blobs may be used at the same time.
class BundleWriter {
 public:
  /// Begins, or continues what an interrupted run with the same plan left. Checks and reserves the space
  /// first: too little is ErrorCode::no_space with both numbers. Another plan's leftovers or a finished file
  /// of that name are ErrorCode::conflict, and so are leftovers that another name (hard link) shares: those
  /// may be a finished bundle that was moved. `plan` must outlive the writer.
  static Result<std::unique_ptr<BundleWriter>> open(const fs::path& path, const Plan& plan);
  ~BundleWriter();
  /// After a kill between the last two steps of seal(), the .partial beside the finished file is that very
  /// file: removes it with its journal. Other leftovers stay.
  static Status remove_remains_of(const fs::path& finished);

  /// True when an earlier run finished this blob and its bytes still have its digest (they are read).
  bool is_complete(const WantedBlob& wanted) const;
  /// Re-reads what is there of the blob, so that hashing can go on. `wanted` must outlive the sink.
  Result<std::unique_ptr<BlobSink>> begin(const WantedBlob& wanted);
  /// Writes everything that is not a blob to fetch, syncs, renames to the final name and removes the journal.
  Status seal(const std::string& signature_slot);

  /// True when this run continues an earlier one.
  bool resumed() const { return resumed_; }
  /// Bytes of Plan::wanted_bytes that the journal says are there.
  std::uint64_t present_bytes() const;

 private:
  friend class BlobSink;
  BundleWriter(fs::path path, const Plan& plan) : path_(std::move(path)), plan_(&plan) {}
  Status open_files();
  Status check_only_name() const;
  Status begin_journal();
  Status read_journal(const std::string& text);
  Status reserve();
  void remove_leftovers() const;
  Status note(const std::string& line);

  fs::path path_;
  const Plan* plan_;
  FileDescriptor file_;
  FileDescriptor journal_;
  std::mutex journal_mutex_;
  std::set<Digest> done_;
  std::map<Digest, std::uint64_t> partial_;
  bool resumed_ = false;
};

}  // namespace sealift::bundle
