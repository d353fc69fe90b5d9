#include "lib/base/files.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace sealift {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<FileDescriptor> open_file(const fs::path& path, int flags, unsigned mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd >= 0) return FileDescriptor(fd);
  if (errno == ENOENT && (flags & O_CREAT) == 0) {
    return fail(ErrorCode::not_found, "{} does not exist", path.string());
  }
  return fail_errno(errno, fmt::format("cannot open {}", path.string()));
}

Result<FileDescriptor> open_for_reading(const fs::path& path) { return open_file(path, O_RDONLY); }

Result<std::uint64_t> file_size(const FileDescriptor& file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(errno, "cannot read a file's size");
  return static_cast<std::uint64_t>(info.st_size);
}

Status read_exactly_at(const FileDescriptor& file, std::uint64_t offset, MutableBytes buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count =
        ::pread(file.get(), buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "cannot read");
    if (count == 0) {
      return fail(ErrorCode::integrity, "the file ends at byte {}, expected {} more bytes", offset + done,
                  buffer.size() - done);
    }
    done += static_cast<std::size_t>(count);
  }
  return {};
}

Status write_exactly_at(const FileDescriptor& file, std::uint64_t offset, Bytes data) {
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t count =
        ::pwrite(file.get(), data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "cannot write");
    done += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::string> read_file(const fs::path& path, std::uint64_t limit_bytes) {
  TRY_ASSIGN(const FileDescriptor file, open_for_reading(path));
  std::string text;
  char buffer[64 << 10];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, fmt::format("cannot read {}", path.string()));
    if (count == 0) return text;
    if (text.size() + static_cast<std::size_t>(count) > limit_bytes) {
      return fail(ErrorCode::invalid_argument, "{} is larger than the limit of {} bytes", path.string(),
                  limit_bytes);
    }
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

namespace {

Status sync_directory(const fs::path& directory) {
  TRY_ASSIGN(const FileDescriptor handle, open_file(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(handle.get()) != 0) return fail_errno(errno, fmt::format("cannot sync {}", directory.string()));
  return {};
}

Status write_new_file(const fs::path& path, std::string_view content, unsigned mode) {
  TRY_ASSIGN(const FileDescriptor file, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(within(write_exactly_at(file, 0, as_bytes(content)), path.string()));
  // The mode is set on the descriptor so that the umask has no say and a secret is never readable in between.
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) {
    return fail_errno(errno, fmt::format("cannot set the mode of {}", path.string()));
  }
  if (::fsync(file.get()) != 0) return fail_errno(errno, fmt::format("cannot sync {}", path.string()));
  return {};
}

}  // namespace

Status write_file_atomically(const fs::path& path, std::string_view content, unsigned mode) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path temporary = directory / fmt::format(".{}.{}.new", path.filename().string(), ::getpid());
  ::unlink(temporary.c_str());
  if (auto written = write_new_file(temporary, content, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    return fail_errno(error_number, fmt::format("cannot rename to {}", path.string()));
  }
  return sync_directory(directory);
}

Status create_directories(const fs::path& path, unsigned mode) {
  fs::path made;
  for (const fs::path& component : path) {
    made /= component;
    if (made.empty() || made == "/") continue;
    if (::mkdir(made.c_str(), static_cast<mode_t>(mode)) == 0 || errno == EEXIST) continue;
    return fail_errno(errno, fmt::format("cannot create the folder {}", made.string()));
  }
  std::error_code error;
  if (!path.empty() && !fs::is_directory(path, error)) {
    return fail(ErrorCode::io, "{} exists and is not a folder", path.string());
  }
  return {};
}

Result<std::uint64_t> free_space(const fs::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) {
    return fail_errno(errno, fmt::format("cannot read the free space of {}", path.string()));
  }
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<std::size_t> FileSource::read(MutableBytes buffer) {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  if (wanted == 0) return 0;
  TRY(read_exactly_at(*file_, offset_, buffer.first(wanted)));
  offset_ += wanted;
  left_ -= wanted;
  return wanted;
}

Status FileSink::write(Bytes data) {
  TRY(write_exactly_at(*file_, offset_, data));
  offset_ += data.size();
  return {};
}

Result<TemporaryDirectory> TemporaryDirectory::create(std::string_view prefix) {
  std::error_code error;
  const fs::path base = fs::temp_directory_path(error);
  if (error) return fail(ErrorCode::io, "no folder for temporary files: {}", error.message());
  std::string name = (base / fmt::format("{}-XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) return fail_errno(errno, fmt::format("cannot create {}", name));
  return TemporaryDirectory(name);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool is_confined_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace sealift
