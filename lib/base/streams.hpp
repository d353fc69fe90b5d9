/// Bytes flow through Source and Sink; size and digest are checked while they pass (lib/crypto/digest.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Where bytes come from.
class Source {
 public:
  virtual ~Source() = default;
  /// Fills at most `buffer`; 0 means the end.
  virtual Result<std::size_t> read(MutableBytes buffer) = 0;
};

/// Where bytes go. A sink that stands for a file or blob makes it visible only in its own commit().
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status write(Bytes data) = 0;
};

/// Reads from memory; the memory must outlive it.
class MemorySource final : public Source {
 public:
  explicit MemorySource(Bytes data) : data_(data) {}
  explicit MemorySource(std::string_view text) : data_(as_bytes(text)) {}
  Result<std::size_t> read(MutableBytes buffer) override;

 private:
  Bytes data_;
};

/// Collects into a string and refuses to grow past `limit_bytes`.
class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  Status write(Bytes data) override;
  std::string take() { return std::move(text_); }
  const std::string& text() const { return text_; }

 private:
  std::uint64_t limit_bytes_;
  std::string text_;
};

/// Copies everything; returns the number of bytes. Memory is one buffer of 256 KiB.
Result<std::uint64_t> copy(Source& from, Sink& to);

/// Reads everything into memory, at most `limit_bytes`; `what` names it in the error.
Result<std::string> read_all(Source& from, std::uint64_t limit_bytes, std::string_view what);

}  // namespace sealift
