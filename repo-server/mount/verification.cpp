#include "repo-server/mount/verification.hpp"

#include "lib/base/json.hpp"
#include "lib/base/progress.hpp"

namespace sealift::repo_server {
namespace {

constexpr std::uint64_t kMaxRecordBytes = 4096;

fs::path record_path(const fs::path& state_directory, const bundle::BundleFile& file) {
  return state_directory / "verified" / file.root_digest().hex();
}

std::string record_text(const bundle::BundleFile& file) {
  const auto& identity = file.identity();
  return json::serialize_pretty(json::Object{{"version", 2},
                                             {"device", identity.device},
                                             {"inode", identity.inode},
                                             {"size", identity.size},
                                             {"mtime_ns", identity.mtime_ns},
                                             {"ctime_ns", identity.ctime_ns},
                                             {"root", file.root_digest().str()}});
}

}  // namespace

/// Feeds the bytes read into a report.
class BackgroundVerification::Counter final : public Progress {
 public:
  Counter(std::mutex& mutex, VerificationReport& report) : mutex_(mutex), report_(report) {}
  void total(std::uint64_t amount) override {
    const std::lock_guard lock(mutex_);
    report_.bytes_total = amount;
  }
  std::uint64_t begin(std::string_view, std::uint64_t) override { return 0; }
  void advance(std::uint64_t, std::uint64_t amount) override {
    const std::lock_guard lock(mutex_);
    report_.bytes_done += amount;
  }
  void end(std::uint64_t) override {}

 private:
  std::mutex& mutex_;
  VerificationReport& report_;
};

std::string_view to_string(VerificationState state) {
  switch (state) {
    case VerificationState::waiting:
      return "waiting";
    case VerificationState::running:
      return "running";
    case VerificationState::complete:
      return "complete";
    case VerificationState::remembered:
      return "remembered";
    case VerificationState::failed:
      return "failed";
    case VerificationState::stopped:
      return "stopped";
  }
  return "waiting";
}

bool has_verification_record(const fs::path& state_directory, const bundle::BundleFile& file) {
  // Same text or no record: whatever else is in that file, the bundle is simply read again.
  const auto text = read_file(record_path(state_directory, file), kMaxRecordBytes);
  return text && *text == record_text(file);
}

Status write_verification_record(const fs::path& state_directory, const bundle::BundleFile& file) {
  TRY(create_directories(state_directory / "verified", 0755));
  return write_file_atomically(record_path(state_directory, file), record_text(file), 0644);
}

BackgroundVerification::BackgroundVerification(std::vector<std::shared_ptr<const MountedBundle>> bundles,
                                               std::optional<fs::path> state_directory, unsigned threads,
                                               Log& log)
    : bundles_(std::move(bundles)),
      state_directory_(std::move(state_directory)),
      log_(log),
      reports_(bundles_.size()) {
  bool all_known = true;
  for (std::size_t i = 0; i < bundles_.size(); ++i) {
    if (bundles_[i]->verified().is_all_checked()) {
      reports_[i].state = VerificationState::complete;
    } else if (state_directory_ &&
               has_verification_record(*state_directory_, bundles_[i]->verified().file())) {
      bundles_[i]->verified().trust_record();
      reports_[i].state = VerificationState::remembered;
    } else {
      all_known = false;
    }
  }
  if (threads > 0 && !all_known) thread_ = std::thread([this, threads] { run(threads); });
}

void BackgroundVerification::run(unsigned threads) {
  for (std::size_t i = 0; i < bundles_.size() && !stop_; ++i) {
    VerificationReport& report = reports_[i];
    {
      const std::lock_guard lock(mutex_);
      if (report.state != VerificationState::waiting) continue;
      report.state = VerificationState::running;
    }
    const MountedBundle& mounted = *bundles_[i];
    Counter counter(mutex_, report);
    Status verified = bundle::verify_all(mounted.verified(), counter, threads, &stop_);
    if (verified && state_directory_) {
      if (const Status written = write_verification_record(*state_directory_, mounted.verified().file());
          !written) {
        log_.warning("{}: verified, but this cannot be remembered: {}", mounted.path().string(),
                     written.error().message());
      }
    }
    const std::lock_guard lock(mutex_);
    if (verified) {
      report.state = VerificationState::complete;
      log_.info("{}: fully verified, {}", mounted.path().string(), format_bytes(report.bytes_done));
    } else if (verified.error().code() == ErrorCode::interrupted) {
      report.state = VerificationState::stopped;
    } else {
      report.state = VerificationState::failed;
      report.error = verified.error().message();
      log_.error("verification failed; what is damaged will not be served: {}", report.error);
    }
  }
}

std::vector<VerificationReport> BackgroundVerification::reports() const {
  const std::lock_guard lock(mutex_);
  return reports_;
}

void BackgroundVerification::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace sealift::repo_server
