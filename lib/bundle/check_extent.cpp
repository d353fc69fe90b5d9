#include "lib/bundle/check_extent.hpp"

#include <algorithm>
#include <vector>

#include "lib/archive/zstd.hpp"

namespace sealift::bundle {

namespace {

constexpr std::size_t kReadBytes = 1U << 20;

/// Hashes and reports what is read through it, until it is told to stop.
class HashingSource final : public Source {
 public:
  HashingSource(const BundleFile& file, const ExtentCheck& check)
      : check_(&check), from_(file.descriptor(), check.offset, check.size) {}

  Result<std::size_t> read(MutableBytes buffer) override {
    if (check_->stop != nullptr && check_->stop->load(std::memory_order_relaxed)) {
      return fail(ErrorCode::interrupted, "verification was stopped");
    }
    TRY_ASSIGN(const std::size_t count, from_.read(buffer));
    hasher_.update(Bytes(buffer).first(count));
    if (check_->report) check_->report(count);
    return count;
  }
  Digest finish() { return hasher_.finish(); }

 private:
  const ExtentCheck* check_;
  FileSource from_;
  Hasher hasher_;
};

Status check_content(Source& from, const FileEntry& file, MutableBytes buffer) {
  archive::ZstdSource content(from, file.size, file.path);
  Hasher hasher;
  for (;;) {
    TRY_ASSIGN(const std::size_t count, content.read(buffer));
    if (count == 0) break;
    hasher.update(Bytes(buffer).first(count));
  }
  const Digest found = hasher.finish();
  if (found == file.digest) return {};
  return fail(ErrorCode::integrity, "{}: expected digest {}, found {} in its compressed form", file.path,
              file.digest.str(), found.str());
}

Status read_to_end(Source& from, MutableBytes buffer) {
  for (;;) {
    TRY_ASSIGN(const std::size_t count, from.read(buffer));
    if (count == 0) return {};
  }
}

}  // namespace

Status check_extent(const BundleFile& file, const ExtentCheck& check) {
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(check.size, 1, kReadBytes)));
  HashingSource source(file, check);
  Status content;
  if (check.content != nullptr) content = check_content(source, *check.content, buffer);
  // Of a damaged blob something is left to read, and its digest says more than how decompressing failed.
  TRY(within(read_to_end(source, buffer), fmt::format("{}: {}", file.path().string(), check.name)));
  const Digest found = source.finish();
  if (found != check.digest) {
    return fail(ErrorCode::integrity, "{}: {} at offset {}: expected digest {}, found {}",
                file.path().string(), check.name, check.offset, check.digest.str(), found.str());
  }
  return within(std::move(content), file.path().string());
}

}  // namespace sealift::bundle
