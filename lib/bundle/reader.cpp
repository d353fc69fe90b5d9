#include "lib/bundle/reader.hpp"

#include <sys/stat.h>

#include "lib/archive/zstd.hpp"
#include "lib/bundle/layout.hpp"
#include "lib/bundle/printable.hpp"

namespace sealift::bundle {

namespace {

constexpr std::uint64_t kMaxIndexBytes = 64ULL << 20;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Result<FileIdentity> identity_of(const FileDescriptor& file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(errno, "cannot read the state of the bundle");
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::invalid_argument, "not a regular file");
  return FileIdentity{static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino),
                      static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
                      nanoseconds(info.st_ctim)};
}

/// The entry whose headers begin at `at`; it must have this path and at most this size.
Result<archive::LocatedEntry> expect_entry(const FileDescriptor& file, std::uint64_t at, const char* path,
                                           std::uint64_t limit_bytes) {
  TRY_ASSIGN(archive::LocatedEntry found, archive::read_tar_header(file, at));
  if (found.entry.path != path) {
    return fail(ErrorCode::integrity, "expected the entry {} at byte {}, found {}", path, at,
                escaped(found.entry.path));
  }
  if (found.entry.size > limit_bytes) {
    return fail(ErrorCode::integrity, "{} has {} bytes, more than the limit of {}", path, found.entry.size,
                limit_bytes);
  }
  return found;
}

Result<std::string> read_entry(const FileDescriptor& file, const archive::LocatedEntry& located) {
  std::string text(located.entry.size, '\0');
  TRY(within(read_exactly_at(file, located.data_offset, std::as_writable_bytes(std::span(text))),
             located.entry.path));
  return text;
}

}  // namespace

Status BundleFile::read_head() {
  TRY_ASSIGN(file_, open_for_reading(path_));
  TRY_ASSIGN(identity_, identity_of(file_));
  TRY_ASSIGN(const auto layout, expect_entry(file_, 0, kOciLayoutPath, archive::kTarAlignment));
  const std::uint64_t after_layout = archive::tar_next(layout.data_offset, layout.entry.size);
  TRY_ASSIGN(const auto index, expect_entry(file_, after_layout, kIndexPath, kMaxIndexBytes));
  const std::uint64_t after_index = archive::tar_next(index.data_offset, index.entry.size);
  TRY_ASSIGN(const auto contents, expect_entry(file_, after_index, kContentsPath, kMaxContentsBytes));
  const std::uint64_t after_contents = archive::tar_next(contents.data_offset, contents.entry.size);
  TRY_ASSIGN(const auto signatures,
             expect_entry(file_, after_contents, kSignaturesPath, kSignatureSlotBytes));
  if (signatures.entry.size != kSignatureSlotBytes) {
    return fail(ErrorCode::integrity, "{} has {} bytes, expected {}", kSignaturesPath, signatures.entry.size,
                kSignatureSlotBytes);
  }
  TRY_ASSIGN(contents_text_, read_entry(file_, contents));
  TRY_ASSIGN(signatures_text_, read_entry(file_, signatures));
  signatures_offset_ = signatures.data_offset;
  root_digest_ = digest_of(contents_text_);
  return {};
}

Status BundleFile::read_contents() {
  TRY_ASSIGN(contents_, parse_contents(contents_text_, kContentsPath));
  if (contents_.size == identity_.size) return {};
  return fail(ErrorCode::integrity, "expected {} bytes, found {}: the file is {}", contents_.size,
              identity_.size, identity_.size < contents_.size ? "truncated" : "too long");
}

Result<std::shared_ptr<const BundleFile>> BundleFile::open(const fs::path& path, const RawCheck& check) {
  std::shared_ptr<BundleFile> bundle(new BundleFile);
  bundle->path_ = path;
  TRY(within(bundle->read_head(), path.string()));
  if (check) TRY(check(*bundle));
  TRY(within(bundle->read_contents(), path.string()));
  return std::shared_ptr<const BundleFile>(std::move(bundle));
}

Result<FileIdentity> BundleFile::current_identity() const {
  auto identity = identity_of(file_);
  if (identity) return identity;  // asked for with every piece that is served: no path is built
  return within(std::move(identity), path_.string());
}

Result<std::string> BundleFile::read_blob(const Digest& digest, std::uint64_t limit_bytes) const {
  MemorySink sink(limit_bytes);
  TRY(copy_blob(digest, sink));
  return sink.take();
}

Result<const BlobEntry*> BundleFile::present_blob(const Digest& digest) const {
  const BlobEntry* blob = contents_.find_blob(digest);
  if (blob == nullptr) return fail(ErrorCode::not_found, "{} holds no blob {}", path_.string(), digest.str());
  if (!blob->offset) {
    return fail(ErrorCode::not_found, "{} is a delta without the blob {}: add the bundle it is based on",
                path_.string(), digest.str());
  }
  return blob;
}

Status BundleFile::copy_blob(const Digest& digest, Sink& sink) const {
  TRY_ASSIGN(const BlobEntry* const blob, present_blob(digest));
  const std::string what =
      fmt::format("{}: blob {} at offset {}", path_.string(), digest.str(), *blob->offset);
  VerifyingSink verifying(sink, digest, blob->size, what);
  FileSource source(file_, *blob->offset, blob->size);
  TRY(within(copy(source, verifying), what));
  return verifying.finish();
}

Result<std::string> BundleFile::read_file(const FileEntry& file, std::uint64_t limit_bytes) const {
  MemorySink sink(limit_bytes);
  TRY(copy_file(file, sink));
  return sink.take();
}

Status BundleFile::copy_file(const FileEntry& file, Sink& sink) const {
  if (!file.stored) return copy_blob(file.digest, sink);
  TRY_ASSIGN(const BlobEntry* const blob, present_blob(*file.stored));
  FileSource source(file_, *blob->offset, blob->size);
  archive::ZstdSource content(source, file.size, file.path);
  VerifyingSink verifying(sink, file.digest, file.size, file.path);
  TRY(within(copy(content, verifying), path_.string()));
  return within(verifying.finish(), path_.string());
}

}  // namespace sealift::bundle
