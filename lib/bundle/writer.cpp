#include "lib/bundle/writer.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/progress.hpp"

namespace sealift::bundle {

namespace {

constexpr std::uint64_t kNoteEveryBytes = 8ULL << 20;
constexpr std::uint64_t kMaxJournalLine = 100;
constexpr std::uint64_t kMaxJournalBytes = 256ULL << 20;

fs::path with_suffix(const fs::path& path, const char* suffix) { return fs::path(path.string() + suffix); }

std::string journal_head(const Plan& plan) {
  return fmt::format("sealift-journal 1 {}", digest_of(plan.contents_text).str());
}

/// Hashes what is on disk from the blob's start; used for resuming and for re-checking.
Status rehash(const FileDescriptor& file, std::uint64_t offset, std::uint64_t size, Hasher& hasher) {
  std::vector<std::byte> buffer(1U << 20);
  for (std::uint64_t done = 0; done < size;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - done));
    TRY(read_exactly_at(file, offset + done, std::span(buffer).first(count)));
    hasher.update(Bytes(buffer.data(), count));
    done += count;
  }
  return {};
}

}  // namespace

Status BlobSink::write(Bytes data) {
  const LockedBlob& blob = wanted_->blob;
  if (data.size() > blob.bundled_size() - position_) {
    return fail(ErrorCode::integrity, "{}: more than the expected {} bytes", blob.bundled_digest().str(),
                blob.bundled_size());
  }
  TRY(within(write_exactly_at(writer_->file_, wanted_->offset + position_, data),
             writer_->path_.string() + ".partial"));
  hasher_.update(data);
  position_ += data.size();
  if (position_ - noted_ >= kNoteEveryBytes && !blob.stored) {
    noted_ = position_;
    return writer_->note(fmt::format("at {} {}", blob.digest.str(), position_));
  }
  return {};
}

void BlobSink::restart() {
  hasher_ = Hasher();
  position_ = 0;
  noted_ = 0;
}

Status BlobSink::commit() {
  const LockedBlob& blob = wanted_->blob;
  const Digest& expected = blob.bundled_digest();
  if (position_ != blob.bundled_size()) {
    return fail(ErrorCode::integrity, "{}: expected {} bytes, found {}", expected.str(), blob.bundled_size(),
                position_);
  }
  const Digest found = hasher_.finish();
  if (found != expected) {
    restart();
    TRY(writer_->note(fmt::format("at {} 0", expected.str())));
    return fail(ErrorCode::integrity, "expected digest {}, found {}", expected.str(), found.str());
  }
  return writer_->note(fmt::format("done {}", expected.str()));
}

BundleWriter::~BundleWriter() = default;

Result<std::unique_ptr<BundleWriter>> BundleWriter::open(const fs::path& path, const Plan& plan) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    return fail(ErrorCode::conflict, "{} exists already; move it away or give another name with -o",
                path.string());
  }
  std::unique_ptr<BundleWriter> writer(new BundleWriter(path, plan));
  TRY(writer->open_files());
  if (Status reserved = writer->reserve(); !reserved) {
    if (!writer->resumed_) writer->remove_leftovers();  // nothing has begun
    return tl::unexpected(std::move(reserved).error());
  }
  return writer;
}

Status BundleWriter::remove_remains_of(const fs::path& finished) {
  const fs::path partial = with_suffix(finished, ".partial");
  struct stat whole {};
  struct stat left {};
  if (::stat(finished.c_str(), &whole) != 0) return fail_errno(errno, finished.string());
  const bool has_partial = ::lstat(partial.c_str(), &left) == 0;
  if (!has_partial && errno != ENOENT) return fail_errno(errno, partial.string());
  if (has_partial && (left.st_dev != whole.st_dev || left.st_ino != whole.st_ino)) return {};
  for (const fs::path& path : {partial, with_suffix(finished, ".journal")}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return fail_errno(errno, fmt::format("cannot remove {}", path.string()));
  }
  return {};
}

void BundleWriter::remove_leftovers() const {
  ::unlink(with_suffix(path_, ".partial").c_str());
  ::unlink(with_suffix(path_, ".journal").c_str());
}

Status BundleWriter::open_files() {
  const fs::path journal_path = with_suffix(path_, ".journal");
  TRY_ASSIGN(journal_, open_file(journal_path, O_RDWR | O_CREAT | O_APPEND));
  if (::flock(journal_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::conflict, "another sealift create is writing {}", path_.string());
  }
  TRY_ASSIGN(const std::string journal, read_file(journal_path, kMaxJournalBytes));
  TRY_ASSIGN(file_, open_file(with_suffix(path_, ".partial"), O_RDWR | O_CREAT));
  TRY(check_only_name());
  if (journal.empty()) return begin_journal();
  return read_journal(journal);
}

Status BundleWriter::check_only_name() const {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return fail_errno(errno, path_.string());
  if (info.st_nlink == 1) return {};
  return fail(
      ErrorCode::conflict,
      "{0}.partial has {1} names, expected 1: it may be a finished bundle that was moved, which must not "
      "be written to; remove {0}.partial and {0}.journal",
      path_.string(), info.st_nlink);
}

/// Of a .partial without its journal nobody knows what lies in it: it starts empty, so that all that is not
/// written is zero.
Status BundleWriter::begin_journal() {
  for (const FileDescriptor* file : {&file_, &journal_})
    if (::ftruncate(file->get(), 0) != 0)
      return fail_errno(errno, fmt::format("cannot begin {}.partial anew", path_.string()));
  return note(journal_head(*plan_));
}

Status BundleWriter::read_journal(const std::string& text) {
  std::size_t at = 0;
  bool first = true;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    if (first && line != journal_head(*plan_)) {
      return fail(ErrorCode::conflict,
                  "{}.journal belongs to another lock or other inputs; finish that one, or remove {}.partial "
                  "and {}.journal",
                  path_.string(), path_.string(), path_.string());
    }
    first = false;
    const std::size_t space = line.find(' ');
    const std::string_view verb = line.substr(0, space);
    std::string_view rest = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    const std::size_t gap = std::min(rest.find(' '), rest.size());
    const auto digest = Digest::parse(rest.substr(0, gap));
    if (!digest) continue;
    if (verb == "done") {
      done_.insert(*digest);
    } else if (verb == "at" && gap < rest.size()) {
      rest.remove_prefix(gap + 1);
      std::uint64_t bytes = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), bytes);
      partial_[*digest] = bytes;
      done_.erase(*digest);
    }
  }
  if (first) {
    // Killed within the very first line.
    return begin_journal();
  }
  if (at != text.size()) TRY(note(""));  // ends a torn last line
  resumed_ = true;
  return {};
}

Status BundleWriter::reserve() {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return fail_errno(errno, path_.string());
  const std::uint64_t allocated = static_cast<std::uint64_t>(info.st_blocks) * 512;
  const std::uint64_t size = plan_->contents.size;
  // The journal has a line for each blob and for each noted piece.
  const std::uint64_t journal = kMaxJournalLine * (2 + plan_->wanted.size() + size / kNoteEveryBytes);
  const std::uint64_t needed = (size > allocated ? size - allocated : 0) + journal;
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  TRY_ASSIGN(const std::uint64_t available, free_space(folder));
  if (needed > available) {
    return fail(ErrorCode::no_space, "{}: the bundle needs {} bytes ({}), {} bytes ({}) are free in {}",
                path_.string(), needed, format_bytes(needed), available, format_bytes(available),
                folder.string());
  }
  // fallocate(2) itself: where the file system cannot reserve, glibc's posix_fallocate would write everything
  // once more.
  if (::fallocate(file_.get(), 0, 0, static_cast<off_t>(size)) != 0) {
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
      return fail_errno(errno, fmt::format("cannot reserve {} bytes for {}", size, path_.string()));
    }
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return fail_errno(errno, path_.string());
  return {};
}

Status BundleWriter::note(const std::string& line) {
  const std::string text = line + "\n";
  const std::lock_guard lock(journal_mutex_);
  const ssize_t count = ::write(journal_.get(), text.data(), text.size());
  if (count == static_cast<ssize_t>(text.size())) return {};
  return fail_errno(count < 0 ? errno : ENOSPC, fmt::format("cannot write {}.journal", path_.string()));
}

bool BundleWriter::is_complete(const WantedBlob& wanted) const {
  const Digest& expected = wanted.blob.bundled_digest();
  if (!done_.contains(expected)) return false;
  Hasher hasher;
  return rehash(file_, wanted.offset, wanted.blob.bundled_size(), hasher).has_value() &&
         hasher.finish() == expected;
}

Result<std::unique_ptr<BlobSink>> BundleWriter::begin(const WantedBlob& wanted) {
  std::unique_ptr<BlobSink> sink(new BlobSink(*this, wanted));
  // Of half a compressed blob nobody knows where in the original it ends: none is noted.
  const auto partial = partial_.find(wanted.blob.bundled_digest());
  if (partial != partial_.end() && partial->second < wanted.blob.bundled_size()) {
    TRY(rehash(file_, wanted.offset, partial->second, sink->hasher_));
    sink->position_ = partial->second;
    sink->noted_ = partial->second;
  }
  return sink;
}

std::uint64_t BundleWriter::present_bytes() const {
  std::uint64_t bytes = 0;
  for (const WantedBlob& wanted : plan_->wanted) {
    const Digest& digest = wanted.blob.bundled_digest();
    if (done_.contains(digest)) {
      bytes += wanted.blob.size;
    } else if (const auto partial = partial_.find(digest); partial != partial_.end()) {
      bytes += std::min(partial->second, wanted.blob.size);
    }
  }
  return bytes;
}

Status BundleWriter::seal(const std::string& signature_slot) {
  const fs::path partial = with_suffix(path_, ".partial");
  const auto write = [&](std::uint64_t offset, std::string_view text) {
    return within(write_exactly_at(file_, offset, as_bytes(text)), partial.string());
  };
  for (const PlacedEntry& placed : plan_->layout.entries) {
    TRY(write(placed.header_offset, archive::tar_header(placed.entry, placed.header_offset)));
  }
  for (const HeldEntry& held : plan_->held) TRY(write(held.offset, held.content));
  TRY(write(plan_->signatures_offset, signature_slot));
  if (::fsync(file_.get()) != 0) return fail_errno(errno, fmt::format("cannot sync {}", partial.string()));
  if (::fchmod(file_.get(), 0644) != 0) return fail_errno(errno, partial.string());
  // link(2), unlike rename(2), does not replace a file that appeared meanwhile.
  if (::link(partial.c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST)
      return fail(ErrorCode::conflict, "{} appeared meanwhile; it was left alone", path_.string());
    if (::rename(partial.c_str(), path_.c_str()) != 0)
      return fail_errno(errno, fmt::format("cannot rename to {}", path_.string()));
  }
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  TRY_ASSIGN(const FileDescriptor directory, open_file(folder, O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.get()) != 0) return fail_errno(errno, folder.string());
  remove_leftovers();
  return {};
}

}  // namespace sealift::bundle
