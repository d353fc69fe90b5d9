#include <cstdlib>
#include <vector>

#include "lib/archive/zstd.hpp"

namespace {

using namespace sealift;

constexpr std::uint64_t kMostBytes = 8U << 20;

/// At most `most` bytes a read.
class Pieces final : public Source {
 public:
  Pieces(Bytes data, std::size_t most) : from_(data), most_(most) {}
  Result<std::size_t> read(MutableBytes buffer) override {
    return from_.read(buffer.first(std::min(buffer.size(), most_)));
  }

 private:
  MemorySource from_;
  std::size_t most_;
};

/// The content, or nothing when it was refused. Never more than the size that was said, and all of it when
/// accepted.
std::string expanded(Bytes frame, std::uint64_t size, std::size_t piece) {
  Pieces from(frame, piece);
  archive::ZstdSource source(from, size, "fuzz");
  std::vector<std::byte> buffer(piece);
  std::string content;
  for (;;) {
    const auto count = source.read(buffer);
    if (!count) {
      if (content.size() >= size && size != 0) std::abort();
      return {};
    }
    if (*count == 0) break;
    content.append(as_text(Bytes(buffer).first(*count)));
    if (content.size() > size) std::abort();
  }
  if (content.size() != size) std::abort();
  return content;
}

}  // namespace

/// Four bytes of size (little-endian), then the frame.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  if (length < 4) return 0;
  std::uint64_t size = 0;
  for (unsigned i = 0; i < 4; ++i) size |= std::uint64_t{data[i]} << (8 * i);
  if (size > kMostBytes) return 0;
  const Bytes frame(reinterpret_cast<const std::byte*>(data + 4), length - 4);
  if (expanded(frame, size, 1U << 16) != expanded(frame, size, 509)) std::abort();
  return 0;
}
