#include "lib/bundle/verify.hpp"

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <fmt/ranges.h>

#include "lib/bundle/check_extent.hpp"
#include "lib/bundle/layout.hpp"
#include "lib/bundle/signatures.hpp"

namespace sealift::bundle {

struct VerifiedBundle::Checked {
  std::mutex mutex;
  std::unordered_set<Digest> digests;
  std::unordered_set<Digest> damaged;
  std::unordered_set<Digest> contents;  ///< of files that lie compressed in one of those
  std::atomic<bool> all = false;
};

namespace {

/// Names of the trusted keys whose signatures hold. A signature in the name of a trusted key that does not
/// hold is an error even when enough others do: somebody changed something.
Result<std::vector<std::string>> check_signatures(const BundleFile& file, const TrustPolicy& policy) {
  if (policy.keys.empty()) {
    return fail(
        ErrorCode::untrusted,
        "{}: no public key given to verify it with; add --key FILE (the release engineer's sealift.pub)",
        file.path().string());
  }
  TRY_ASSIGN(const auto lines, within(parse_signatures(file.signatures_text()), file.path().string()));
  std::vector<std::string> good;
  for (const SignatureLine& line : lines) {
    const auto key = std::find_if(policy.keys.begin(), policy.keys.end(),
                                  [&](const PublicKey& candidate) { return candidate.id() == line.key_id; });
    if (key == policy.keys.end()) continue;
    if (!key->verify(file.contents_text(), line.signature)) {
      return fail(ErrorCode::untrusted,
                  "{}: the signature by key {} does not match the content: damaged or forged",
                  file.path().string(), line.key_id);
    }
    good.push_back(line.key_id);
  }
  const unsigned needed = std::max(1U, policy.threshold);
  if (good.size() >= needed) return good;
  std::vector<std::string> present;
  for (const SignatureLine& line : lines) present.push_back(line.key_id.substr(0, 16));
  std::vector<std::string> wanted;
  for (const PublicKey& key : policy.keys) wanted.push_back(key.id().substr(0, 16));
  return fail(ErrorCode::untrusted,
              "{}: expected {} signature(s) by the keys [{}], found {}; the bundle is signed by [{}]",
              file.path().string(), needed, fmt::join(wanted, ", "), good.size(), fmt::join(present, ", "));
}

Status check_head(const BundleFile& file) {
  bool layout = false;
  bool index = false;
  for (const HeadEntry& head : file.contents().head) {
    TRY(check_extent(file, {head.path, head.digest, head.offset, head.size}));
    layout = layout || head.path == kOciLayoutPath;
    index = index || head.path == kIndexPath;
  }
  if (!layout || !index) {
    return fail(ErrorCode::integrity, "{}: bundle.json does not list oci-layout and index.json",
                file.path().string());
  }
  return {};
}

/// Everything in the file that is not content: rebuilt from the table of contents and compared byte for byte.
Status check_structure(const BundleFile& file) {
  const Contents& contents = file.contents();
  const auto mtime = static_cast<std::int64_t>(contents.time.time_since_epoch().count());
  std::vector<std::pair<std::uint64_t, archive::TarEntry>> entries;
  for (const HeadEntry& head : contents.head)
    entries.push_back({head.offset, {head.path, head.size, head.mode, mtime}});
  for (const auto& [digest, blob] : contents.blobs) {
    if (blob.offset) entries.push_back({*blob.offset, {blob_path(digest.hex()), blob.size, 0644, mtime}});
  }
  entries.push_back({file.signatures_offset(), {kSignaturesPath, kSignatureSlotBytes, 0644, mtime}});
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  // bundle.json cannot list itself; it lies between index.json and the signatures.
  const auto before = std::find_if(entries.begin(), entries.end(),
                                   [](const auto& e) { return e.second.path == kSignaturesPath; });
  entries.insert(before, {0, {kContentsPath, file.contents_text().size(), 0644, mtime}});

  const auto differs = [&](std::uint64_t at) {
    return fail(ErrorCode::integrity,
                "{}: bytes between entries near offset {} differ from the bundle format: damaged",
                file.path().string(), at);
  };
  std::uint64_t at = 0;
  std::string found;
  for (const auto& [offset, entry] : entries) {
    const std::string header = archive::tar_header(entry, at);
    const std::uint64_t data = at + header.size();
    if (offset != 0 && offset != data) return differs(at);
    found.resize(header.size());
    if (!read_exactly_at(file.descriptor(), at, std::as_writable_bytes(std::span(found))) || found != header)
      return differs(at);
    at = archive::tar_next(data, entry.size);
    found.resize(at - data - entry.size);
    TRY(read_exactly_at(file.descriptor(), data + entry.size, std::as_writable_bytes(std::span(found))));
    if (found.find_first_not_of('\0') != std::string::npos) return differs(data + entry.size);
  }
  if (archive::tar_total_size(at) != contents.size) return differs(at);
  found.resize(contents.size - at);
  TRY(read_exactly_at(file.descriptor(), at, std::as_writable_bytes(std::span(found))));
  if (found.find_first_not_of('\0') != std::string::npos) return differs(at);
  return {};
}

/// Swallows everything until it is told to stop.
class StoppableSink final : public Sink {
 public:
  explicit StoppableSink(const std::atomic<bool>* stop) : stop_(stop) {}
  Status write(Bytes) override {
    if (stop_ == nullptr || !stop_->load(std::memory_order_relaxed)) return {};
    return fail(ErrorCode::interrupted, "verification was stopped");
  }

 private:
  const std::atomic<bool>* stop_;
};

/// The files that do not lie in the bundle as they are, by the digest of their blob.
std::unordered_map<Digest, const FileEntry*> compressed_files(const Contents& contents) {
  std::unordered_map<Digest, const FileEntry*> files;
  for (const FileEntry& file : contents.files) {
    if (file.stored) files.emplace(*file.stored, &file);
  }
  return files;
}

Status check_unchanged(const BundleFile& file) {
  TRY_ASSIGN(const FileIdentity now, file.current_identity());
  if (now == file.identity()) return {};
  return fail(ErrorCode::integrity, "{}: the file was changed while in use", file.path().string());
}

}  // namespace

Status VerifiedBundle::check_blob(const Digest& digest, const std::atomic<bool>* stop) const {
  if (is_checked(digest)) return {};
  TRY(check_unchanged(*file_));
  StoppableSink nowhere(stop);
  return judge(digest, file_->copy_blob(digest, nowhere));
}

Status VerifiedBundle::judge(const Digest& digest, Status read) const {
  const std::lock_guard lock(checked_->mutex);
  if (read)
    checked_->digests.insert(digest);
  else if (read.error().code() != ErrorCode::interrupted)
    checked_->damaged.insert(digest);
  return read;
}

Result<std::string> VerifiedBundle::read_blob(const Digest& digest, std::uint64_t limit_bytes) const {
  auto content = file_->read_blob(digest, limit_bytes);
  TRY(judge(digest, content ? Status{} : tl::unexpected(content.error())));
  return content;
}

bool VerifiedBundle::is_damaged(const Digest& digest) const {
  if (is_all_checked()) return false;
  const std::lock_guard lock(checked_->mutex);
  return checked_->damaged.contains(digest);
}

Status VerifiedBundle::check_file(const FileEntry& file, const std::atomic<bool>* stop) const {
  if (is_checked(file)) return {};
  if (!file.stored) return check_blob(file.digest, stop);
  TRY(check_unchanged(*file_));
  TRY_ASSIGN(const BlobEntry* const blob, file_->present_blob(*file.stored));
  TRY(judge(blob->digest, check_extent(*file_, {blob_path(blob->digest.hex()), blob->digest, *blob->offset,
                                                blob->size, &file, stop})));
  const std::lock_guard lock(checked_->mutex);
  checked_->contents.insert(file.digest);
  return {};
}

bool VerifiedBundle::is_checked(const FileEntry& file) const {
  if (!is_checked(file.blob())) return false;
  if (!file.stored || checked_->all.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(checked_->mutex);
  return checked_->contents.contains(file.digest);
}

bool VerifiedBundle::is_checked(const Digest& digest) const {
  if (checked_->all.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(checked_->mutex);
  return checked_->digests.contains(digest);
}

bool VerifiedBundle::is_all_checked() const { return checked_->all.load(std::memory_order_acquire); }

void VerifiedBundle::trust_record() const { checked_->all.store(true, std::memory_order_release); }

Result<std::shared_ptr<const VerifiedBundle>> verify_head(std::shared_ptr<const BundleFile> file,
                                                          const TrustPolicy& policy) {
  TRY_ASSIGN(auto signers, check_signatures(*file, policy));
  TRY(check_head(*file));
  std::shared_ptr<VerifiedBundle> verified(new VerifiedBundle);
  verified->file_ = std::move(file);
  verified->signers_ = std::move(signers);
  verified->checked_ = std::make_shared<VerifiedBundle::Checked>();
  return std::shared_ptr<const VerifiedBundle>(std::move(verified));
}

Result<std::shared_ptr<const VerifiedBundle>> open_verified(const fs::path& path, const TrustPolicy& policy) {
  const auto check = [&policy](const BundleFile& raw) -> Status {
    TRY(check_signatures(raw, policy));
    return {};
  };
  TRY_ASSIGN(auto file, BundleFile::open(path, check));
  return verify_head(std::move(file), policy);
}

Status verify_all(const VerifiedBundle& bundle, Progress& progress, unsigned threads,
                  const std::atomic<bool>* stop) {
  const BundleFile& file = bundle.file();
  TRY(check_structure(file));
  std::vector<const BlobEntry*> blobs;
  std::uint64_t total = 0;
  for (const auto& [digest, blob] : file.contents().blobs) {
    if (!blob.offset) continue;
    blobs.push_back(&blob);
    total += blob.size;
  }
  // In the order of the file, for slow sticks and discs.
  std::sort(blobs.begin(), blobs.end(),
            [](const BlobEntry* a, const BlobEntry* b) { return *a->offset < *b->offset; });
  const auto compressed = compressed_files(file.contents());
  progress.total(total);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::vector<Error> errors;
  const auto work = [&] {
    for (std::size_t i = next++; i < blobs.size(); i = next++) {
      const BlobEntry& blob = *blobs[i];
      const std::uint64_t item = progress.begin(blob.digest.short_hex(), blob.size);
      const auto content = compressed.find(blob.digest);
      Status checked = check_extent(file, {blob_path(blob.digest.hex()), blob.digest, *blob.offset, blob.size,
                                           content == compressed.end() ? nullptr : content->second, stop,
                                           [&](std::uint64_t count) { progress.advance(item, count); }});
      progress.end(item);
      checked = bundle.judge(blob.digest, std::move(checked));
      const std::lock_guard lock(mutex);
      if (!checked) {
        errors.push_back(std::move(checked).error());
        if (errors.back().code() == ErrorCode::interrupted) return;
      } else if (content != compressed.end()) {
        const std::lock_guard checked_lock(bundle.checked_->mutex);
        bundle.checked_->contents.insert(content->second->digest);
      }
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < std::max(1U, threads); ++i) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  if (errors.empty()) {
    TRY(check_unchanged(file));
    bundle.trust_record();
    return {};
  }
  std::string message;
  for (std::size_t i = 0; i < std::min<std::size_t>(errors.size(), 20); ++i) {
    message += (i != 0 ? "\n" : "") + errors[i].message();
  }
  if (errors.size() > 20) message += fmt::format("\nand {} more", errors.size() - 20);
  return fail(errors.front().code(), "{}", message);
}

}  // namespace sealift::bundle
