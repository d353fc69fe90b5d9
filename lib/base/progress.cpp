#include "lib/base/progress.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/log.hpp"

namespace sealift {

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.95 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

namespace {

using SteadyClock = std::chrono::steady_clock;

struct Item {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t done = 0;
};

/// What both renderers count.
class CountingProgress : public Progress {
 public:
  explicit CountingProgress(std::string_view verb) : verb_(verb), started_(SteadyClock::now()) {}

  void total(std::uint64_t amount) override {
    const std::lock_guard lock(mutex_);
    total_ = amount;
  }
  std::uint64_t begin(std::string_view item, std::uint64_t size) override {
    const std::lock_guard lock(mutex_);
    items_[++next_] = Item{std::string(item), size, 0};
    return next_;
  }
  void advance(std::uint64_t item, std::uint64_t amount) override {
    const std::lock_guard lock(mutex_);
    done_ += amount;
    if (const auto found = items_.find(item); found != items_.end()) found->second.done += amount;
    if (SteadyClock::now() - shown_ < interval()) return;
    shown_ = SteadyClock::now();
    show();
  }
  void end(std::uint64_t item) override {
    const std::lock_guard lock(mutex_);
    items_.erase(item);
  }

 protected:
  virtual std::chrono::milliseconds interval() const = 0;
  virtual void show() = 0;

  std::string summary() const {
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - started_).count();
    const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
    const std::uint64_t percent = total_ != 0 ? done_ * 100 / total_ : 0;
    std::string text =
        fmt::format("{} {} of {} ({}%), {}/s", verb_, format_bytes(done_), format_bytes(total_), percent,
                    format_bytes(static_cast<std::uint64_t>(rate)));
    if (rate > 0 && total_ > done_) {
      text += fmt::format(", {:.0f} s left", static_cast<double>(total_ - done_) / rate);
    }
    return text;
  }

  std::string verb_;
  SteadyClock::time_point started_;
  SteadyClock::time_point shown_{};
  std::mutex mutex_;
  std::map<std::uint64_t, Item> items_;
  std::uint64_t next_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
};

class PlainProgress final : public CountingProgress {
 public:
  explicit PlainProgress(std::string_view verb) : CountingProgress(verb) { shown_ = started_; }

 private:
  std::chrono::milliseconds interval() const override { return std::chrono::seconds(5); }
  void show() override { print_to_stderr(summary() + "\n"); }
};

class TerminalProgress final : public CountingProgress {
 public:
  using CountingProgress::CountingProgress;
  ~TerminalProgress() override { erase(); }

 private:
  static constexpr std::size_t kMaxStreams = 8;

  std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(100); }

  void erase() {
    std::string text = "\r\x1b[K";
    for (; lines_ > 0; --lines_) text += "\x1b[1A\x1b[K";
    print_to_stderr(text);
  }

  void show() override {
    erase();
    winsize window{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 20;
    const std::size_t width = known ? window.ws_col - 1U : 79U;
    std::string text;
    for (const auto& [id, item] : items_) {
      if (lines_ == kMaxStreams) break;
      text += clip(line(item), width) + "\n";
      ++lines_;
    }
    print_to_stderr(text + clip(summary(), width));
    std::fflush(stderr);
  }

  static std::string line(const Item& item) {
    constexpr std::size_t kWidth = 24;
    const std::size_t filled =
        item.size != 0
            ? static_cast<std::size_t>(std::min<std::uint64_t>(item.done, item.size) * kWidth / item.size)
            : 0;
    return fmt::format("  [{}{}] {:>9} {}", std::string(filled, '#'), std::string(kWidth - filled, '.'),
                       format_bytes(item.size), item.name);
  }
  static std::string clip(std::string text, std::size_t width) {
    if (text.size() > width) text.resize(width);
    return text;
  }

  std::size_t lines_ = 0;
};

}  // namespace

std::unique_ptr<Progress> make_progress(std::string_view verb, ProgressStyle style) {
  if (style == ProgressStyle::none) return std::make_unique<NoProgress>();
  if (::isatty(STDERR_FILENO) != 0) return std::make_unique<TerminalProgress>(verb);
  return std::make_unique<PlainProgress>(verb);
}

}  // namespace sealift
