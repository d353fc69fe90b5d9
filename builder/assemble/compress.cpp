#include "builder/assemble/compress.hpp"

#include "lib/archive/zstd.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::builder {

namespace {

/// Passes on as many bytes as are locked and drops the rest: whether the file itself is the locked one is to
/// be known first.
class LockedSizeSink final : public Sink {
 public:
  LockedSizeSink(bundle::BlobSink& to, std::uint64_t size) : to_(&to), size_(size) {}
  Status write(Bytes data) override {
    is_longer_ = is_longer_ || data.size() > size_ - to_->position();
    if (is_longer_) return {};
    return to_->write(data);
  }
  bool is_exact() const { return !is_longer_ && to_->position() == size_; }

 private:
  bundle::BlobSink* to_;
  std::uint64_t size_;
  bool is_longer_ = false;
};

tl::unexpected<Error> other_encoder(const bundle::LockedBlob& blob) {
  const std::string here = archive::zstd_encoder();
  if (here == blob.stored->by) {
    return fail(ErrorCode::integrity,
                "compressing it does not give the blob {} of the lock, although that was made with {}, too: "
                "the lock was edited, or one of the two libraries is a modified one; run sealift lock again",
                blob.stored->digest.str(), here);
  }
  return fail(
      ErrorCode::unsupported,
      "the lock was made with {}, here is {}, and the two compress this file differently; run sealift "
      "lock again here, or set compressFiles: false in bundle.yaml and lock again",
      blob.stored->by, here);
}

}  // namespace

Status compress_blob(const bundle::LockedBlob& blob, const std::function<Status(Sink&)>& fetch,
                     bundle::BlobSink& sink) {
  LockedSizeSink exact(sink, blob.stored->size);
  archive::ZstdCompressSink compressing(exact, blob.size);
  VerifyingSink original(compressing, blob.digest, blob.size, blob.origin.url);
  TRY(fetch(original));
  TRY(original.finish());
  TRY(compressing.finish());
  if (!exact.is_exact()) return other_encoder(blob);
  Status committed = sink.commit();
  if (!committed && committed.error().code() == ErrorCode::integrity) return other_encoder(blob);
  return committed;
}

}  // namespace sealift::builder
