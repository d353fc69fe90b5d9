/// Progress as events, apart from how they are shown: the same flow drives bars, plain lines and tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sealift {

/// Receives what long work reports. Implementations are thread-safe.
class Progress {
 public:
  virtual ~Progress() = default;

  /// The whole job: how many bytes (or steps) all items together will have.
  virtual void total(std::uint64_t amount) = 0;
  /// One item (a blob, a file, a package) begins; `size` may be 0 when unknown. Returns its handle.
  virtual std::uint64_t begin(std::string_view item, std::uint64_t size) = 0;
  virtual void advance(std::uint64_t item, std::uint64_t amount) = 0;
  virtual void end(std::uint64_t item) = 0;
};

/// Shows nothing.
class NoProgress final : public Progress {
 public:
  void total(std::uint64_t) override {}
  std::uint64_t begin(std::string_view, std::uint64_t) override { return 0; }
  void advance(std::uint64_t, std::uint64_t) override {}
  void end(std::uint64_t) override {}
};

enum class ProgressStyle { automatic, none };

/// Bars when standard error is a terminal, else a plain line every few seconds; nothing with
/// ProgressStyle::none. `verb` begins each line ("fetched"). Amounts are bytes.
std::unique_ptr<Progress> make_progress(std::string_view verb, ProgressStyle style);

/// "1.4 GiB", "812 B": binary units, one decimal from KiB on.
std::string format_bytes(std::uint64_t bytes);

}  // namespace sealift
