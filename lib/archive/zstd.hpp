/// zstd frames (RFC 8878): one fixed way to write them, and a reader that believes nothing it reads.
///
/// Written: one frame of level 3 with the content's size and checksum, by one thread. The encoder is fed
/// whole pieces of 128 KiB whatever the sizes of the writes, so its output depends on the content and the
/// library's version only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"

namespace sealift::archive {

/// Frames that need a larger window than 2^27 bytes (128 MiB) are refused; ours need at most 2 MiB.
inline constexpr int kZstdMaxWindowLog = 27;

/// What decides the compressed bytes beside the content: "zstd 1.5.4 level 3".
std::string zstd_encoder();

/// Compresses what is written and passes it on. Memory: some MiB, whatever the size.
class ZstdCompressSink final : public Sink {
 public:
  /// `size` of the content; it is written into the frame's header. `to` must outlive it.
  ZstdCompressSink(Sink& to, std::uint64_t size);
  ~ZstdCompressSink() override;
  /// More than `size` bytes in all are ErrorCode::integrity.
  Status write(Bytes data) override;
  /// Ends the frame; to be called once, after the last write. Fewer than `size` bytes are
  /// ErrorCode::integrity.
  Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads the content of one frame. Memory: the frame's window (at most 128 MiB) and less than 1 MiB.
///
/// ErrorCode::integrity, naming `what`, for anything but exactly one frame of exactly `size` bytes: another
/// format, a header that says another size, damage, a missing end, bytes after the end. Never gives more than
/// `size` bytes, and gives the last of them only after the frame's end and checksum were seen to be right.
class ZstdSource final : public Source {
 public:
  /// `from` must outlive it.
  ZstdSource(Source& from, std::uint64_t size, std::string what);
  ~ZstdSource() override;
  Result<std::size_t> read(MutableBytes buffer) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealift::archive
