#include "lib/base/files.hpp"

#include <array>
#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

#include "installer/host/steps/kinds.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxCompared = 64ULL << 20;

/// Directories no step may remove, nor their parents.
constexpr std::array<std::string_view, 25> kNeverRemoved = {
    "/",      "/bin",     "/boot",         "/dev",     "/etc",     "/home",     "/lib",
    "/lib64", "/opt",     "/proc",         "/root",    "/run",     "/sbin",     "/srv",
    "/sys",   "/tmp",     "/usr",          "/usr/bin", "/usr/lib", "/usr/sbin", "/usr/local",
    "/var",   "/var/lib", "/var/lib/dpkg", "/var/log"};

bool is_symlink(const std::string& path) {
  std::error_code ignored;
  return fs::is_symlink(fs::symlink_status(path, ignored));
}

/// Leftovers of write_file_atomically from an agent that was killed.
void remove_torn_writes(const fs::path& path) {
  const std::string prefix = fmt::format(".{}.", path.filename().string());
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".new")) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

std::optional<Digest> digest_of_file(const std::string& path) {
  const auto file = open_for_reading(path);
  if (!file) return std::nullopt;
  Hasher hasher;
  std::array<std::byte, 64 << 10> buffer{};
  for (;;) {
    const ssize_t count = ::read(file->get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return hasher.finish();
    hasher.update(Bytes(buffer).first(static_cast<std::size_t>(count)));
  }
}

Status make_parents(const StepContext& context, const std::string& path) {
  return create_directories(fs::path(context.at(path)).parent_path(), 0755);
}

Status put_file(const StepContext& context, const std::string& path, std::string_view content,
                unsigned mode) {
  TRY(make_parents(context, path));
  TRY(context.journal.keep_original(path));
  remove_torn_writes(context.at(path));
  return write_file_atomically(context.at(path), content, mode);
}

CheckOutcome compare_file(const StepContext& context, const std::string& path, std::string_view content,
                          unsigned mode) {
  struct stat info {};
  const std::string real = context.at(path);
  if (::lstat(real.c_str(), &info) != 0) return {false, fmt::format("{} does not exist", path), {}};
  if (!S_ISREG(info.st_mode)) return {false, fmt::format("{} is not a plain file", path), {}};
  if (static_cast<std::uint64_t>(info.st_size) != content.size())
    return {false, fmt::format("{} differs", path), {}};
  const auto found = read_file(real, kMaxCompared);
  if (!found || *found != content) return {false, fmt::format("{} differs", path), {}};
  if ((info.st_mode & 07777U) != mode) {
    return {false, fmt::format("{} has mode {:04o}, not {:04o}", path, info.st_mode & 07777U, mode), {}};
  }
  if (context.root.empty() && (info.st_uid != 0 || info.st_gid != 0)) {
    return {false,
            fmt::format("{} belongs to user {} and group {}, not to root", path, info.st_uid, info.st_gid),
            {}};
  }
  return {true, fmt::format("{} is as it should be", path), {}};
}

Result<CheckOutcome> check(const StepContext& context, const WriteFile& wish) {
  return compare_file(context, wish.path, wish.content, wish.mode);
}
Result<ApplyOutcome> apply(const StepContext& context, const WriteFile& wish) {
  std::error_code ignored;
  const bool existed = fs::exists(context.at(wish.path), ignored);
  TRY(put_file(context, wish.path, wish.content, wish.mode));
  return ApplyOutcome{fmt::format("write {} ({})", wish.path, existed ? "changed" : "new"), {}, {}};
}
Status undo(const StepContext& context, const WriteFile& wish) {
  return context.journal.restore_original(wish.path);
}

Result<CheckOutcome> check(const StepContext& context, const RemovePath& wish) {
  std::error_code ignored;
  const bool there = fs::exists(fs::symlink_status(context.at(wish.path), ignored));
  return CheckOutcome{
      !there, there ? fmt::format("remove {}", wish.path) : fmt::format("{} is not there", wish.path), {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const RemovePath& wish) {
  for (const std::string_view kept : kNeverRemoved) {
    if (wish.path == kept) return fail(ErrorCode::invalid_argument, "{} is never removed", wish.path);
  }
  const std::string real = context.at(wish.path);
  std::error_code error;
  const bool directory = !is_symlink(real) && fs::is_directory(real, error);
  if (!directory) TRY(context.journal.keep_original(wish.path));
  fs::remove_all(real, error);
  if (error) return fail(ErrorCode::io, "cannot remove {}: {}", wish.path, error.message());
  return ApplyOutcome{fmt::format("remove {}", wish.path), {}, {}};
}
Status undo(const StepContext& context, const RemovePath& wish) {
  return context.journal.restore_original(wish.path);
}

Result<CheckOutcome> check(const StepContext& context, const MakeDirectory& wish) {
  struct stat info {};
  if (::stat(context.at(wish.path).c_str(), &info) != 0) {
    return CheckOutcome{false, fmt::format("make the directory {}", wish.path), {}};
  }
  if (!S_ISDIR(info.st_mode))
    return fail(ErrorCode::conflict, "{} exists and is not a directory; move it away", wish.path);
  const unsigned mode = info.st_mode & 0777U;
  if (mode != wish.mode) {
    return CheckOutcome{false, fmt::format("{} has mode {:04o}, not {:04o}", wish.path, mode, wish.mode), {}};
  }
  return CheckOutcome{true, fmt::format("{} is there", wish.path), {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const MakeDirectory& wish) {
  const std::string real = context.at(wish.path);
  std::error_code error;
  json::Object detail{{"made", !fs::exists(real, error)}};
  TRY(create_directories(real, 0755));
  if (::chmod(real.c_str(), static_cast<mode_t>(wish.mode)) != 0) {
    return fail_errno(errno, fmt::format("cannot set the mode of {}", wish.path));
  }
  return ApplyOutcome{fmt::format("make the directory {}", wish.path), std::move(detail), {}};
}
Status undo(const StepContext& context, const MakeDirectory& wish) {
  const std::optional<StepRecord> record = context.journal.find(context.step_id);
  const json::Value* made = record ? record->detail.if_contains("made") : nullptr;
  if (made == nullptr || !made->is_bool() || !made->get_bool()) return {};
  // What others have put there since stays.
  if (::rmdir(context.at(wish.path).c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY &&
      errno != EEXIST) {
    return fail_errno(errno, fmt::format("cannot remove the directory {}", wish.path));
  }
  return {};
}

Result<CheckOutcome> check(const StepContext& context, const Symlink& wish) {
  const std::string real = context.at(wish.path);
  std::error_code error;
  if (is_symlink(real)) {
    const std::string target = fs::read_symlink(real, error).string();
    if (!error && target == wish.target)
      return CheckOutcome{true, fmt::format("{} links to {}", wish.path, target), {}};
    return CheckOutcome{false, fmt::format("{} links to {}, not to {}", wish.path, target, wish.target), {}};
  }
  if (fs::is_directory(real, error)) {
    return fail(ErrorCode::conflict, "{} is a directory, expected a link to {}; move it away", wish.path,
                wish.target);
  }
  return CheckOutcome{false, fmt::format("link {} to {}", wish.path, wish.target), {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const Symlink& wish) {
  const std::string real = context.at(wish.path);
  TRY(make_parents(context, wish.path));
  TRY(context.journal.keep_original(wish.path));
  const std::string temporary = real + ".sealift-new";
  ::unlink(temporary.c_str());
  if (::symlink(wish.target.c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), real.c_str()) != 0) {
    return fail_errno(errno, fmt::format("cannot link {} to {}", wish.path, wish.target));
  }
  return ApplyOutcome{fmt::format("link {} to {}", wish.path, wish.target), {}, {}};
}
Status undo(const StepContext& context, const Symlink& wish) {
  return context.journal.restore_original(wish.path);
}

}  // namespace sealift::installer
