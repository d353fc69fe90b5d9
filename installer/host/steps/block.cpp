// Our marked block in a file that belongs to others.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installer/host/steps/kinds.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxFile = 4U << 20;

struct Markers {
  std::string begin;
  std::string end;
};

Markers markers_of(const FileBlock& wish) {
  return {fmt::format("# BEGIN sealift {}\n", wish.name), fmt::format("# END sealift {}\n", wish.name)};
}

std::string with_newline(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

/// The file with our block (if any) replaced; a begin without an end is an error rather than a guess.
Result<std::string> replaced(const FileBlock& wish, const std::string& text) {
  const Markers markers = markers_of(wish);
  const std::string block =
      wish.content.empty() ? std::string() : markers.begin + with_newline(wish.content) + markers.end;
  const std::string whole = with_newline(text);
  std::size_t begin = whole.starts_with(markers.begin) ? 0 : whole.find("\n" + markers.begin);
  if (begin == std::string::npos) return whole + block;
  if (!whole.starts_with(markers.begin)) ++begin;
  const std::size_t end = whole.find("\n" + markers.end, begin);
  if (end == std::string::npos) {
    return fail(ErrorCode::conflict,
                "{} has the line \"# BEGIN sealift {}\" but not its end; repair it by hand", wish.path,
                wish.name);
  }
  return whole.substr(0, begin) + block + whole.substr(end + 1 + markers.end.size());
}

Result<std::string> present_text(const StepContext& context, const FileBlock& wish) {
  std::error_code ignored;
  if (!fs::exists(context.at(wish.path), ignored)) return std::string();
  return read_file(context.at(wish.path), kMaxFile);
}

/// Keeps mode and owner. A file that cannot be renamed over (bind-mounted, as in containers) is rewritten in
/// place.
Status write_back(const std::string& path, const std::string& text) {
  struct stat info {};
  const bool existed = ::stat(path.c_str(), &info) == 0;
  std::error_code error;
  const fs::path target = existed ? fs::canonical(path, error) : fs::path(path);
  if (error) return fail(ErrorCode::io, "cannot resolve {}: {}", path, error.message());
  const Status written = write_file_atomically(target, text, existed ? info.st_mode & 0777U : 0644U);
  if (written) {
    if (existed && ::chown(target.c_str(), info.st_uid, info.st_gid) != 0) {
      return fail_errno(errno, fmt::format("cannot keep the owner of {}", path));
    }
    return {};
  }
  if (!existed) return written;
  TRY_ASSIGN(const FileDescriptor file, open_file(target, O_WRONLY));
  TRY(write_exactly_at(file, 0, as_bytes(text)));
  if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0 || ::fsync(file.get()) != 0) {
    return fail_errno(errno, fmt::format("cannot write {}", path));
  }
  return {};
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const FileBlock& wish) {
  TRY_ASSIGN(const std::string now, present_text(context, wish));
  TRY_ASSIGN(const std::string wanted, replaced(wish, now));
  if (with_newline(now) == wanted)
    return CheckOutcome{true, fmt::format("our block in {} is as it should be", wish.path), {}};
  return CheckOutcome{false, describe(wish), {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const FileBlock& wish) {
  TRY_ASSIGN(const std::string now, present_text(context, wish));
  TRY_ASSIGN(const std::string wanted, replaced(wish, now));
  TRY(make_parents(context, wish.path));
  TRY(write_back(context.at(wish.path), wanted));
  return ApplyOutcome{describe(wish), {}, {}};
}
/// Only our block goes: others may have edited the file since.
Status undo(const StepContext& context, const FileBlock& wish) {
  FileBlock none = wish;
  none.content.clear();
  TRY_ASSIGN(const std::string now, present_text(context, none));
  if (now.empty()) return {};
  TRY_ASSIGN(const std::string wanted, replaced(none, now));
  return write_back(context.at(wish.path), wanted);
}

}  // namespace sealift::installer
