/// Opening a bundle: the head is read and checked for form, nothing is trusted before verify.hpp has its say.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/bundle/contents.hpp"

namespace sealift::bundle {

/// What makes a file the same file as before: the kernel's word, not its name.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  /// Nobody can set it back, unlike mtime, but chmod, links and renaming move it, too. So it is for what is
  /// remembered between runs, where a difference only means to read again, and no part of ==.
  std::int64_t ctime_ns = 0;

  friend bool operator==(const FileIdentity& a, const FileIdentity& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size && a.mtime_ns == b.mtime_ns;
  }
  /// Also ctime: nobody has touched the file at all.
  bool is_exactly(const FileIdentity& other) const { return *this == other && ctime_ns == other.ctime_ns; }
};

/// An open bundle file whose table of contents has been parsed. Not yet verified. Thread-safe for reading.
class BundleFile {
 public:
  /// Asked with everything but contents() in place: bundle.json is not parsed yet.
  using RawCheck = std::function<Status(const BundleFile&)>;

  /// For a bundle somebody else made, open_verified() is better: it looks at the signatures before it parses
  /// what they are over. Here 1 GiB is the most that parsing may take. The error of `check` is returned as it
  /// is.
  static Result<std::shared_ptr<const BundleFile>> open(const fs::path& path, const RawCheck& check = {});

  const fs::path& path() const { return path_; }
  const FileDescriptor& descriptor() const { return file_; }
  const Contents& contents() const { return contents_; }
  /// The exact bytes of sealift/bundle.json that the signatures are over.
  const std::string& contents_text() const { return contents_text_; }
  /// The raw text of sealift/signatures.
  const std::string& signatures_text() const { return signatures_text_; }
  std::uint64_t signatures_offset() const { return signatures_offset_; }
  /// sha256 of contents_text(): the root digest that names this bundle.
  const Digest& root_digest() const { return root_digest_; }
  /// As it was when opened.
  const FileIdentity& identity() const { return identity_; }
  /// The identity now; differs from identity() when somebody wrote to the file.
  Result<FileIdentity> current_identity() const;

  /// The entry of a blob that lies in this file; ErrorCode::not_found otherwise.
  Result<const BlobEntry*> present_blob(const Digest& digest) const;
  /// Reads a whole small blob (manifest, repository index) and checks its digest.
  Result<std::string> read_blob(const Digest& digest, std::uint64_t limit_bytes) const;
  /// Streams a blob into `sink`, checking size and digest; the sink may have seen bytes when this fails.
  Status copy_blob(const Digest& digest, Sink& sink) const;
  /// Reads a whole small file of the served tree, decompressed when need be, and checks its digest. `file`
  /// may be of another bundle's contents: the blob counts.
  Result<std::string> read_file(const FileEntry& file, std::uint64_t limit_bytes) const;
  /// As copy_blob, for the file's own bytes.
  Status copy_file(const FileEntry& file, Sink& sink) const;

 private:
  BundleFile() = default;
  Status read_head();
  Status read_contents();
  fs::path path_;
  FileDescriptor file_;
  FileIdentity identity_;
  Contents contents_;
  std::string contents_text_;
  std::string signatures_text_;
  std::uint64_t signatures_offset_ = 0;
  Digest root_digest_ = digest_of(std::string_view{});
};

}  // namespace sealift::bundle
