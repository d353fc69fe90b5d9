/// Full verification in the background, and its memory: a record per bundle in the state directory, so that
/// the same file is not read again at the next start. Record: <state>/verified/<root hex>, JSON
/// {"version":2,"device":…,"inode":…,"size":…,"mtime_ns":…,"ctime_ns":…,"root":"sha256:…"}.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "repo-server/mount/overlay.hpp"

namespace sealift::repo_server {

enum class VerificationState { waiting, running, complete, remembered, failed, stopped };

/// "waiting", "running", ...
std::string_view to_string(VerificationState state);

struct VerificationReport {
  VerificationState state = VerificationState::waiting;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::string error;
};

/// True when the record in `state_directory` says that exactly this file was verified before.
bool has_verification_record(const fs::path& state_directory, const bundle::BundleFile& file);
Status write_verification_record(const fs::path& state_directory, const bundle::BundleFile& file);

/// Verifies the bundles of an overlay one after the other on a thread of its own.
class BackgroundVerification {
 public:
  /// What was verified before, or a record vouches for, is not read. With `threads` 0 nothing is verified in
  /// the background. `log` must outlive it.
  BackgroundVerification(std::vector<std::shared_ptr<const MountedBundle>> bundles,
                         std::optional<fs::path> state_directory, unsigned threads, Log& log);
  ~BackgroundVerification() { stop(); }
  BackgroundVerification(const BackgroundVerification&) = delete;
  BackgroundVerification& operator=(const BackgroundVerification&) = delete;

  /// One report a bundle, in the overlay's order.
  std::vector<VerificationReport> reports() const;
  /// Ends early; idempotent.
  void stop();

 private:
  class Counter;
  void run(unsigned threads);

  const std::vector<std::shared_ptr<const MountedBundle>> bundles_;
  const std::optional<fs::path> state_directory_;
  Log& log_;
  mutable std::mutex mutex_;
  std::vector<VerificationReport> reports_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace sealift::repo_server
