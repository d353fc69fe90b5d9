/// What Sealift did to this host: /var/lib/sealift/journal (0700, root). It makes an interrupted run resume,
/// makes undo possible and says which cluster the host belongs to.
///
/// Files: `owner.json` {"version":1,"clusterName":…,"clusterId":…}; `log`, one record a line, appended and
/// synced before and after each change: 16 hex digits (the start of the sha256 of the rest of the line), a
/// space, a JSON object; `backups/<n>`, originals of replaced files. A last line without its end is the trace
/// of a crash and is cut off; any other line that does not match its digest is an error.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/host/session.hpp"
#include "lib/base/files.hpp"
#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// What was at a path before Sealift first touched it.
struct Original {
  enum class Kind { absent, file, symlink };
  Kind kind = Kind::absent;
  unsigned mode = 0;
  unsigned uid = 0;
  unsigned gid = 0;
  std::string backup{};  ///< name in backups/; for a symlink its target
};

/// The last known state of one step.
struct StepRecord {
  enum class Event { begun, done, failed, undone };
  Event event = Event::begun;
  std::string kind{};
  std::string fingerprint{};
  std::uint64_t sequence = 0;          ///< of the last record of any kind
  std::uint64_t changed_sequence = 0;  ///< of the last record that changed something; 0: never
  std::uint64_t done_sequence = 0;     ///< of the last done record; 0: never done
  unsigned attempts = 0;               ///< begun since it was last done
  json::Object detail{};               ///< of the last done record: what undo and check need
};

/// Thread-safe.
class Journal {
 public:
  static constexpr std::uint64_t kMaxLogBytes = 64ULL << 20;

  /// Reads what is there; creates nothing before the first write. `root` is put before /var/lib/sealift
  /// (tests).
  static Result<std::unique_ptr<Journal>> open(const std::string& root);

  std::optional<Owner> owner() const;
  /// Makes the host ours; ErrorCode::conflict when it belongs to another cluster.
  Status claim(const Owner& owner);

  std::optional<StepRecord> find(const std::string& step_id) const;
  /// Every step that is begun, done or failed, oldest first.
  std::vector<std::string> step_ids() const;
  /// The newest change of any of these steps; 0 when none ever changed anything.
  std::uint64_t last_change(const std::vector<std::string>& step_ids) const;

  Status begin(const std::string& step_id, std::string_view kind, const std::string& fingerprint);
  Status done(const std::string& step_id, std::string_view kind, const std::string& fingerprint,
              json::Object detail);
  Status failed(const std::string& step_id, std::string_view kind, const std::string& fingerprint);
  Status undone(const std::string& step_id, std::string_view kind);

  /// Keeps what is at `path` (on the host, without root), unless an earlier call did. To be called before the
  /// first change.
  Status keep_original(const std::string& path);
  std::optional<Original> original(const std::string& path) const;
  /// Brings back what keep_original found and forgets it; does nothing for a path that was never kept.
  Status restore_original(const std::string& path);

 private:
  explicit Journal(std::string root);
  Status load();
  Status apply_record(const json::Object& record, std::uint64_t sequence);
  Status append(json::Object record);
  Status record_step(const char* event, const std::string& step_id, std::string_view kind,
                     const std::string& fingerprint, json::Object detail);

  std::string root_{};
  fs::path directory_{};
  mutable std::mutex mutex_;
  FileDescriptor log_;
  std::uint64_t log_size_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t backups_ = 0;
  std::optional<Owner> owner_{};
  std::map<std::string, StepRecord> steps_{};
  std::map<std::string, Original> originals_{};
};

}  // namespace sealift::installer
