/// Files of the operating system: owned descriptors, exact reads and writes, files that appear whole or not
/// at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"

namespace sealift {

namespace fs = std::filesystem;

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Always close-on-exec. Errors name the path.
Result<FileDescriptor> open_for_reading(const fs::path& path);
/// `flags` as in open(2); `mode` for a new file.
Result<FileDescriptor> open_file(const fs::path& path, int flags, unsigned mode = 0644);

Result<std::uint64_t> file_size(const FileDescriptor& file);

/// Reads or writes exactly that many bytes at `offset`, or fails; a short file is ErrorCode::integrity.
Status read_exactly_at(const FileDescriptor& file, std::uint64_t offset, MutableBytes buffer);
Status write_exactly_at(const FileDescriptor& file, std::uint64_t offset, Bytes data);

/// Whole small file; more than `limit_bytes` is an error that names both numbers.
Result<std::string> read_file(const fs::path& path, std::uint64_t limit_bytes);

/// Writes beside `path`, syncs, renames over it and syncs the folder: readers see the old or the new file,
/// never half.
Status write_file_atomically(const fs::path& path, std::string_view content, unsigned mode = 0644);

Status create_directories(const fs::path& path, unsigned mode = 0755);

/// Bytes an ordinary user may still write in the file system that holds `path` (statvfs f_bavail).
Result<std::uint64_t> free_space(const fs::path& path);

/// Reads a file from start to end, or `length` bytes from `offset`, without moving the descriptor's own
/// position.
class FileSource final : public Source {
 public:
  FileSource(const FileDescriptor& file, std::uint64_t offset, std::uint64_t length)
      : file_(&file), offset_(offset), left_(length) {}
  Result<std::size_t> read(MutableBytes buffer) override;

 private:
  const FileDescriptor* file_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

/// Writes consecutively from `offset`.
class FileSink final : public Sink {
 public:
  FileSink(const FileDescriptor& file, std::uint64_t offset) : file_(&file), offset_(offset) {}
  Status write(Bytes data) override;

 private:
  const FileDescriptor* file_;
  std::uint64_t offset_;
};

/// A directory that is removed with everything in it when the object goes.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create(std::string_view prefix);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();
  const fs::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// True for a relative path of plain components: no "..", no ".", no empty component, no NUL, no leading '/'.
bool is_confined_path(std::string_view path);

}  // namespace sealift
