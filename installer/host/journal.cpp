#include "installer/host/journal.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto/digest.hpp"

namespace sealift::installer {

namespace {

constexpr std::size_t kCheckLength = 16;
constexpr std::uint64_t kMaxBackupBytes = 512ULL << 20;

std::string check_of(std::string_view text) { return digest_of(text).hex().substr(0, kCheckLength); }

const char* const kDamaged =
    "the journal of this host is damaged; restore it from a backup, or move /var/lib/sealift/journal away "
    "and reset the host "
    "before it is used again";

Status sync_directory(const fs::path& directory) {
  TRY_ASSIGN(const FileDescriptor handle, open_file(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(handle.get()) != 0) return fail_errno(errno, fmt::format("cannot sync {}", directory.string()));
  return {};
}

}  // namespace

Journal::Journal(std::string root) : root_(std::move(root)), directory_(root_ + "/var/lib/sealift/journal") {}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& root) {
  std::unique_ptr<Journal> journal(new Journal(root));
  TRY(journal->load());
  return journal;
}

Status Journal::load() {
  std::error_code ignored;
  if (!fs::exists(directory_, ignored)) return {};
  if (const fs::path path = directory_ / "owner.json"; fs::exists(path, ignored)) {
    TRY_ASSIGN(const std::string text, read_file(path, 64 << 10));
    TRY_ASSIGN(const json::Value value, within(json::parse(text, path.string()), kDamaged));
    TRY_ASSIGN(const json::Reader reader, within(json::Reader::of(value, path.string()), kDamaged));
    Owner owner;
    TRY_ASSIGN(owner.cluster_name, within(reader.string("clusterName"), kDamaged));
    TRY_ASSIGN(owner.cluster_id, within(reader.string("clusterId"), kDamaged));
    owner_ = owner;
  }
  const fs::path path = directory_ / "log";
  if (!fs::exists(path, ignored)) return {};
  TRY_ASSIGN(const std::string text, read_file(path, kMaxLogBytes));
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // a record that a crash cut off: it never counted
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const std::uint64_t number = sequence_ + 1;
    if (line.size() < kCheckLength + 2 || line[kCheckLength] != ' ' ||
        check_of(line.substr(kCheckLength + 1)) != line.substr(0, kCheckLength)) {
      return fail(ErrorCode::integrity, "{}: line {} does not match its digest: {}", path.string(), number,
                  kDamaged);
    }
    TRY_ASSIGN(const json::Value value, json::parse(line.substr(kCheckLength + 1), path.string()));
    TRY_ASSIGN(const json::Reader record,
               json::Reader::of(value, fmt::format("{}:{}", path.string(), number)));
    TRY(apply_record(record.raw(), number));
    sequence_ = number;
    begin = end + 1;
  }
  log_size_ = begin;
  return {};
}

Status Journal::apply_record(const json::Object& record, std::uint64_t sequence) {
  const json::Value copy(record);
  TRY_ASSIGN(const json::Reader fields, json::Reader::of(copy, fmt::format("journal line {}", sequence)));
  TRY_ASSIGN(const std::string event, fields.string("event"));
  if (event == "original") {
    Original original;
    TRY_ASSIGN(const std::string path, fields.string("path"));
    TRY_ASSIGN(const std::string kind, fields.string("kind"));
    original.kind = kind == "file"      ? Original::Kind::file
                    : kind == "symlink" ? Original::Kind::symlink
                                        : Original::Kind::absent;
    TRY_ASSIGN(const std::uint64_t mode, fields.unsigned_integer_or("mode", 0));
    TRY_ASSIGN(const std::uint64_t uid, fields.unsigned_integer_or("uid", 0));
    TRY_ASSIGN(const std::uint64_t gid, fields.unsigned_integer_or("gid", 0));
    TRY_ASSIGN(original.backup, fields.string_or("backup", ""));
    original.mode = static_cast<unsigned>(mode);
    original.uid = static_cast<unsigned>(uid);
    original.gid = static_cast<unsigned>(gid);
    originals_[path] = original;
    ++backups_;
    return {};
  }
  if (event == "restored") {
    TRY_ASSIGN(const std::string path, fields.string("path"));
    originals_.erase(path);
    return {};
  }
  TRY_ASSIGN(const std::string step_id, fields.string("step"));
  StepRecord& step = steps_[step_id];
  step.sequence = sequence;
  TRY_ASSIGN(step.kind, fields.string_or("kind", ""));
  TRY_ASSIGN(step.fingerprint, fields.string_or("fingerprint", ""));
  if (event == "begin") {
    step.event = StepRecord::Event::begun;
    ++step.attempts;
    step.changed_sequence = sequence;
  } else if (event == "done") {
    step.event = StepRecord::Event::done;
    step.attempts = 0;
    step.changed_sequence = sequence;
    step.done_sequence = sequence;
    if (const json::Value* detail = fields.raw().if_contains("detail");
        detail != nullptr && detail->is_object()) {
      step.detail = detail->get_object();
    }
  } else if (event == "failed") {
    step.event = StepRecord::Event::failed;
  } else if (event == "undone") {
    step.event = StepRecord::Event::undone;
    step.done_sequence = 0;
    step.attempts = 0;
    step.changed_sequence = sequence;
    step.detail.clear();
  } else {
    return fail(ErrorCode::unsupported,
                "journal line {}: unknown event {:?}; a newer Sealift wrote this journal", sequence, event);
  }
  return {};
}

Status Journal::append(json::Object record) {
  if (!log_) {
    TRY(create_directories(directory_.parent_path(), 0755));
    TRY(create_directories(directory_, 0700));
    TRY_ASSIGN(log_, open_file(directory_ / "log", O_WRONLY | O_CREAT, 0600));
    if (::ftruncate(log_.get(), static_cast<off_t>(log_size_)) != 0)
      return fail_errno(errno, "cannot repair the journal");
    TRY(sync_directory(directory_));
  }
  const std::string text = json::serialize(record);
  const std::string line = fmt::format("{} {}\n", check_of(text), text);
  TRY(within(write_exactly_at(log_, log_size_, as_bytes(line)), "writing the journal"));
  if (::fdatasync(log_.get()) != 0) return fail_errno(errno, "cannot sync the journal");
  log_size_ += line.size();
  ++sequence_;
  return apply_record(record, sequence_);
}

std::optional<Owner> Journal::owner() const {
  const std::lock_guard lock(mutex_);
  return owner_;
}

Status Journal::claim(const Owner& owner) {
  const std::lock_guard lock(mutex_);
  if (owner_) {
    if (owner_->cluster_id == owner.cluster_id) return {};
    return fail(ErrorCode::conflict,
                "this host already belongs to the cluster {:?} (id {}), not to {:?} (id {}); reset it there "
                "first, or take "
                "another host",
                owner_->cluster_name, owner_->cluster_id, owner.cluster_name, owner.cluster_id);
  }
  TRY(create_directories(directory_.parent_path(), 0755));
  TRY(create_directories(directory_, 0700));
  const json::Object object{
      {"version", 1}, {"clusterName", owner.cluster_name}, {"clusterId", owner.cluster_id}};
  TRY(write_file_atomically(directory_ / "owner.json", json::serialize_pretty(object), 0600));
  owner_ = owner;
  return {};
}

std::optional<StepRecord> Journal::find(const std::string& step_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = steps_.find(step_id);
  if (found == steps_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Journal::step_ids() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const auto& [id, record] : steps_) {
    if (record.event != StepRecord::Event::undone) order.emplace_back(record.sequence, id);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> result;
  for (auto& [sequence, id] : order) result.push_back(std::move(id));
  return result;
}

std::uint64_t Journal::last_change(const std::vector<std::string>& step_ids) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t newest = 0;
  for (const std::string& id : step_ids) {
    if (const auto found = steps_.find(id); found != steps_.end())
      newest = std::max(newest, found->second.changed_sequence);
  }
  return newest;
}

Status Journal::record_step(const char* event, const std::string& step_id, std::string_view kind,
                            const std::string& fingerprint, json::Object detail) {
  const std::lock_guard lock(mutex_);
  json::Object record{{"event", event}, {"step", step_id}, {"kind", kind}, {"fingerprint", fingerprint}};
  if (!detail.empty()) record["detail"] = std::move(detail);
  return append(std::move(record));
}

Status Journal::begin(const std::string& step_id, std::string_view kind, const std::string& fingerprint) {
  return record_step("begin", step_id, kind, fingerprint, {});
}
Status Journal::done(const std::string& step_id, std::string_view kind, const std::string& fingerprint,
                     json::Object detail) {
  return record_step("done", step_id, kind, fingerprint, std::move(detail));
}
Status Journal::failed(const std::string& step_id, std::string_view kind, const std::string& fingerprint) {
  return record_step("failed", step_id, kind, fingerprint, {});
}
Status Journal::undone(const std::string& step_id, std::string_view kind) {
  return record_step("undone", step_id, kind, "", {});
}

Status Journal::keep_original(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (originals_.contains(path)) return {};
  const fs::path real = root_ + path;
  json::Object record{{"event", "original"}, {"path", path}, {"kind", "absent"}};
  struct stat info {};
  if (::lstat(real.c_str(), &info) == 0) {
    record["mode"] = static_cast<std::uint64_t>(info.st_mode & 07777U);
    record["uid"] = static_cast<std::uint64_t>(info.st_uid);
    record["gid"] = static_cast<std::uint64_t>(info.st_gid);
    if (S_ISLNK(info.st_mode)) {
      std::error_code error;
      record["kind"] = "symlink";
      record["backup"] = fs::read_symlink(real, error).string();
      if (error) return fail(ErrorCode::io, "cannot read the link {}: {}", path, error.message());
    } else if (S_ISREG(info.st_mode)) {
      const std::string name = std::to_string(backups_ + 1);
      TRY_ASSIGN(const std::string content, within(read_file(real, kMaxBackupBytes), "keeping the original"));
      TRY(create_directories(directory_.parent_path(), 0755));
      TRY(create_directories(directory_, 0700));
      TRY(create_directories(directory_ / "backups", 0700));
      TRY(write_file_atomically(directory_ / "backups" / name, content, 0600));
      record["kind"] = "file";
      record["backup"] = name;
    } else {
      return fail(ErrorCode::conflict, "{} is neither a file nor a link; move it away", path);
    }
  } else if (errno != ENOENT && errno != ENOTDIR) {
    return fail_errno(errno, fmt::format("cannot look at {}", path));
  }
  return append(std::move(record));
}

std::optional<Original> Journal::original(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = originals_.find(path);
  if (found == originals_.end()) return std::nullopt;
  return found->second;
}

Status Journal::restore_original(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = originals_.find(path);
  if (found == originals_.end()) return {};
  const Original original = found->second;
  const fs::path real = root_ + path;
  if (original.kind == Original::Kind::file) {
    TRY_ASSIGN(const std::string content,
               read_file(directory_ / "backups" / original.backup, kMaxBackupBytes));
    TRY(write_file_atomically(real, content, original.mode));
    if (::chown(real.c_str(), original.uid, original.gid) != 0) {
      return fail_errno(errno, fmt::format("cannot give {} back to its owner", path));
    }
  } else {
    if (::unlink(real.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
      return fail_errno(errno, fmt::format("cannot remove {}", path));
    }
    if (original.kind == Original::Kind::symlink && ::symlink(original.backup.c_str(), real.c_str()) != 0) {
      return fail_errno(errno, fmt::format("cannot restore the link {}", path));
    }
  }
  return append({{"event", "restored"}, {"path", path}});
}

}  // namespace sealift::installer
