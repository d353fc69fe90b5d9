#include "lib/base/streams.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace sealift {

namespace {
constexpr std::size_t kBufferBytes = 256U << 10;
}

Result<std::size_t> MemorySource::read(MutableBytes buffer) {
  const std::size_t count = std::min(buffer.size(), data_.size());
  if (count != 0) std::memcpy(buffer.data(), data_.data(), count);
  data_ = data_.subspan(count);
  return count;
}

Status MemorySink::write(Bytes data) {
  if (data.size() > limit_bytes_ - text_.size()) {
    return fail(ErrorCode::integrity, "content is larger than the limit of {} bytes", limit_bytes_);
  }
  text_.append(as_text(data));
  return {};
}

Result<std::uint64_t> copy(Source& from, Sink& to) {
  std::vector<std::byte> buffer(kBufferBytes);
  std::uint64_t total = 0;
  for (;;) {
    TRY_ASSIGN(const std::size_t count, from.read(buffer));
    if (count == 0) return total;
    TRY(to.write(Bytes(buffer.data(), count)));
    total += count;
  }
}

Result<std::string> read_all(Source& from, std::uint64_t limit_bytes, std::string_view what) {
  MemorySink sink(limit_bytes);
  auto copied = copy(from, sink);
  if (!copied) return tl::unexpected(std::move(copied).error().within(what));
  return sink.take();
}

}  // namespace sealift
