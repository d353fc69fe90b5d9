#include "installer/host/channel.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "installer/host/protocol.hpp"
#include "lib/base/spawn.hpp"

namespace sealift::installer {

namespace {

constexpr std::size_t kKeepErrors = 16U << 10;

class ProcessChannel final : public Channel {
 public:
  explicit ProcessChannel(ChildProcess child)
      : pid_(child.pid), in_(std::move(child.in)), out_(std::move(child.out)), err_(std::move(child.err)) {
    errors_thread_ = std::thread([this] { collect_errors(); });
  }
  ~ProcessChannel() override {
    close();
    reap();
    if (errors_thread_.joinable()) errors_thread_.join();
  }

  Status send(std::string_view line) override {
    const std::lock_guard lock(send_mutex_);
    if (!in_) return fail(ErrorCode::network, "the connection to the agent is closed");
    std::string text(line);
    text += '\n';
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t count = ::write(in_.get(), text.data() + sent, text.size() - sent);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0)
        return fail(ErrorCode::network, "the connection to the agent broke{}", colon(diagnosis()));
      sent += static_cast<std::size_t>(count);
    }
    return {};
  }

  Result<std::optional<std::string>> receive(std::chrono::milliseconds timeout) override {
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      if (std::optional<std::string> line = lines_.next()) return line;
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0)
        return fail(ErrorCode::interrupted, "no answer within {} s", timeout.count() / 1000);
      pollfd waiting{out_.get(), POLLIN, 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60000)));
      if (ready <= 0) continue;
      std::array<char, 64 << 10> buffer{};
      const ssize_t count = ::read(out_.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::nullopt;
      TRY(lines_.feed(std::string_view(buffer.data(), static_cast<std::size_t>(count))));
    }
  }

  std::string diagnosis() override {
    // The last words come just before the end: give the program a moment to finish speaking.
    for (int tries = 0; tries < 100 && !errors_done_.load(); ++tries) ::poll(nullptr, 0, 10);
    const std::lock_guard lock(errors_mutex_);
    std::string text = errors_;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
  }

  void close() override {
    const std::lock_guard lock(send_mutex_);
    in_ = FileDescriptor();
  }

 private:
  static std::string colon(const std::string& text) { return text.empty() ? "" : ": " + text; }

  void collect_errors() {
    std::array<char, 4096> buffer{};
    for (;;) {
      pollfd waiting{err_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 200) == 0) {
        if (reaped_.load()) break;  // a grandchild (an ssh master) may hold the pipe open for ever
        continue;
      }
      const ssize_t count = ::read(err_.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      const std::lock_guard lock(errors_mutex_);
      errors_.append(buffer.data(), static_cast<std::size_t>(count));
      if (errors_.size() > kKeepErrors * 2) errors_.erase(0, errors_.size() - kKeepErrors);
    }
    errors_done_.store(true);
  }

  /// The agent ends by itself once its input is closed; only a carrier that hangs is ended.
  void reap() {
    int status = 0;
    for (int tries = 0; tries < 1500; ++tries) {
      if (::waitpid(pid_, &status, WNOHANG) != 0) {
        reaped_.store(true);
        return;
      }
      ::poll(nullptr, 0, tries < 50 ? 2 : 10);
    }
    ::kill(pid_, SIGTERM);
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_.store(true);
  }

  pid_t pid_;
  FileDescriptor in_;
  FileDescriptor out_;
  FileDescriptor err_;
  protocol::LineSplitter lines_;
  std::mutex send_mutex_;
  std::mutex errors_mutex_;
  std::string errors_;
  std::atomic<bool> errors_done_{false};
  std::atomic<bool> reaped_{false};
  std::thread errors_thread_;
};

}  // namespace

Result<std::unique_ptr<Channel>> start_channel(const std::vector<std::string>& arguments,
                                               const std::map<std::string, std::string>& environment) {
  TRY_ASSIGN(ChildProcess child, spawn(arguments, environment));
  return std::make_unique<ProcessChannel>(std::move(child));
}

}  // namespace sealift::installer
