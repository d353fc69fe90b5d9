#include "lib/archive/zstd.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include <zstd.h>

namespace sealift::archive {

namespace {

constexpr int kLevel = 3;
/// A block of the format: the encoder is always given this much, the decoder at most this much.
constexpr std::size_t kPieceBytes = 128U << 10;
/// A frame of empty blocks would keep a reader busy for nothing; an honest encoder gives content for every
/// block.
constexpr std::uint64_t kMaxIdleBytes = 1U << 20;

struct Deleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// `code` as zstd functions return it: a number or an error.
Status check(std::size_t code, std::string_view doing) {
  if (ZSTD_isError(code) == 0) return {};
  return fail(ErrorCode::internal, "{}: zstd says: {}", doing, ZSTD_getErrorName(code));
}

}  // namespace

std::string zstd_encoder() { return fmt::format("zstd {} level {}", ZSTD_versionString(), kLevel); }

struct ZstdCompressSink::State {
  State(Sink& sink, std::uint64_t content_size) : to(&sink), size(content_size) {
    piece.reserve(kPieceBytes);
  }

  Status begin() {
    context.reset(ZSTD_createCCtx());
    if (!context) return fail(ErrorCode::io, "no memory to compress with");
    ZSTD_CCtx* const raw = context.get();
    TRY(check(ZSTD_CCtx_setParameter(raw, ZSTD_c_compressionLevel, kLevel), "choosing the level"));
    TRY(check(ZSTD_CCtx_setParameter(raw, ZSTD_c_contentSizeFlag, 1), "asking for the size"));
    TRY(check(ZSTD_CCtx_setParameter(raw, ZSTD_c_checksumFlag, 1), "asking for a checksum"));
    return check(ZSTD_CCtx_setPledgedSrcSize(raw, size), "announcing the size");
  }

  /// Gives the gathered piece to the encoder.
  Status flush(ZSTD_EndDirective directive) {
    if (!context) TRY(begin());
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out{compressed.data(), compressed.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context.get(), &out, &in, directive);
      TRY(check(left, "compressing"));
      if (out.pos != 0) TRY(to->write(Bytes(compressed.data(), out.pos)));
      done = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    piece.clear();
    return {};
  }

  Sink* to;
  std::uint64_t size;
  std::uint64_t taken = 0;
  std::unique_ptr<ZSTD_CCtx, Deleter> context;
  std::vector<std::byte> piece;
  std::vector<std::byte> compressed = std::vector<std::byte>(kPieceBytes);
};

ZstdCompressSink::ZstdCompressSink(Sink& to, std::uint64_t size)
    : state_(std::make_unique<State>(to, size)) {}
ZstdCompressSink::~ZstdCompressSink() = default;

Status ZstdCompressSink::write(Bytes data) {
  State& state = *state_;
  if (data.size() > state.size - state.taken) {
    return fail(ErrorCode::integrity, "more than the expected {} bytes to compress", state.size);
  }
  state.taken += data.size();
  while (!data.empty()) {
    // A full piece waits for the next byte: the last one must end the frame.
    if (state.piece.size() == kPieceBytes) TRY(state.flush(ZSTD_e_continue));
    const std::size_t count = std::min(data.size(), kPieceBytes - state.piece.size());
    state.piece.insert(state.piece.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    data = data.subspan(count);
  }
  return {};
}

Status ZstdCompressSink::finish() {
  if (state_->taken != state_->size) {
    return fail(ErrorCode::integrity, "expected {} bytes to compress, found {}", state_->size, state_->taken);
  }
  return state_->flush(ZSTD_e_end);
}

struct ZstdSource::State {
  State(Source& source, std::uint64_t content_size, std::string name)
      : from(&source), size(content_size), what(std::move(name)) {}

  tl::unexpected<Error> damaged(std::string_view why) const {
    return fail(ErrorCode::integrity, "{}: not the zstd frame of {} bytes it should be: {}", what, size, why);
  }

  /// Reads until the buffer is full or the source ends.
  Status fill() {
    in.pos = 0;
    in.size = 0;
    while (in.size < buffer.size()) {
      TRY_ASSIGN(const std::size_t count, from->read(MutableBytes(buffer).subspan(in.size)));
      if (count == 0) break;
      in.size += count;
    }
    return {};
  }

  Status begin() {
    context.reset(ZSTD_createDCtx());
    if (!context) return fail(ErrorCode::io, "{}: no memory to decompress with", what);
    TRY(check(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdMaxWindowLog), what));
    in.src = buffer.data();
    TRY(fill());
    // Rules out the library's older formats and skippable frames.
    constexpr unsigned char kMagic[] = {0x28, 0xB5, 0x2F, 0xFD};
    if (in.size < sizeof kMagic || std::memcmp(buffer.data(), kMagic, sizeof kMagic) != 0) {
      return damaged("it begins otherwise");
    }
    const unsigned long long announced = ZSTD_getFrameContentSize(buffer.data(), in.size);
    if (announced == ZSTD_CONTENTSIZE_ERROR) return damaged("its header is damaged or cut off");
    if (announced == ZSTD_CONTENTSIZE_UNKNOWN) return damaged("its header does not say the size");
    if (announced != size) return damaged(fmt::format("its header says {} bytes", announced));
    return {};
  }

  /// One call of the decoder, with new input when it has used up the old.
  Status step(ZSTD_outBuffer& out) {
    if (in.pos == in.size) TRY(fill());
    const bool at_end = in.size == 0;
    const std::size_t taken_before = in.pos;
    const std::size_t given_before = out.pos;
    const std::size_t code = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(code) != 0) return damaged(ZSTD_getErrorName(code));
    ended = code == 0;
    const bool gave = out.pos != given_before;
    idle = gave ? 0 : idle + (in.pos - taken_before);
    if (!ended && !gave && at_end) return damaged("its end is missing");
    if (idle > kMaxIdleBytes) return damaged("it goes on without content");
    return {};
  }

  /// All content was given: the frame must end here, and the source with it.
  Status finish() {
    std::byte extra{};
    while (!ended) {
      ZSTD_outBuffer out{&extra, 1, 0};
      TRY(step(out));
      if (out.pos != 0) return damaged("it holds more");
    }
    if (in.pos == in.size) TRY(fill());
    if (in.pos != in.size) return damaged("bytes follow its end");
    finished = true;
    return {};
  }

  Result<std::size_t> read(MutableBytes to) {
    if (finished || to.empty()) return std::size_t{0};
    if (!context) TRY(begin());
    ZSTD_outBuffer out{to.data(), static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), size - given)),
                       0};
    while (out.pos < out.size && !ended) {
      TRY(step(out));
      if (out.pos != 0) break;
    }
    given += out.pos;
    if (ended && given < size) return damaged(fmt::format("it ends after {}", given));
    if (given == size) TRY(finish());
    return out.pos;
  }

  Source* from;
  std::uint64_t size;
  std::string what;
  std::unique_ptr<ZSTD_DCtx, Deleter> context;
  std::vector<std::byte> buffer = std::vector<std::byte>(kPieceBytes);
  ZSTD_inBuffer in{nullptr, 0, 0};
  std::uint64_t given = 0;
  std::uint64_t idle = 0;
  bool ended = false;
  bool finished = false;
};

ZstdSource::ZstdSource(Source& from, std::uint64_t size, std::string what)
    : state_(std::make_unique<State>(from, size, std::move(what))) {}
ZstdSource::~ZstdSource() = default;

Result<std::size_t> ZstdSource::read(MutableBytes buffer) { return state_->read(buffer); }

}  // namespace sealift::archive
