/// A body that lies compressed in a file, decompressed piece by piece as it is sent. Memory: the frame's
/// window (2 MiB for what Sealift writes) and some 100 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/archive/zstd.hpp"
#include "repo-server/http/message.hpp"

namespace sealift::repo_server::http {

class ExpandedBody {
 public:
  explicit ExpandedBody(ZstdBody body);
  ExpandedBody(const ExpandedBody&) = delete;
  ExpandedBody& operator=(const ExpandedBody&) = delete;

  /// Bytes before the asked range that are still to be passed over.
  bool is_before_range() const { return position_ < body_.first; }
  bool is_done() const { return position_ == body_.first + body_.length; }
  /// The next piece of the range, at most 64 KiB, valid until the next call; empty while before the range.
  /// Never more than the range in all. ErrorCode::integrity when the stored bytes are not what they should
  /// be, which is known before the file's last byte is given; conflict when the file was changed meanwhile.
  Result<std::string_view> next();

 private:
  /// The stored bytes.
  class StoredBytes final : public Source {
   public:
    explicit StoredBytes(const FileBody& stored) : stored_(&stored) {}
    Result<std::size_t> read(MutableBytes buffer) override;

   private:
    const FileBody* stored_;
    std::uint64_t position_ = 0;
  };

  const ZstdBody body_;
  StoredBytes stored_;
  archive::ZstdSource content_;
  std::vector<std::byte> piece_;
  std::uint64_t position_ = 0;
};

}  // namespace sealift::repo_server::http
