#include "installer/host/channel.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "installer/host/protocol.hpp"
#include "lib/base/files.hpp"

extern char** environ;

namespace sealift::installer {

namespace {

constexpr std::size_t kKeepErrors = 16U << 10;

class ProcessChannel final : public Channel {
 public:
  ProcessChannel(pid_t pid, FileDescriptor in, FileDescriptor out, FileDescriptor err)
      : pid_(pid), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {
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

Result<std::pair<FileDescriptor, FileDescriptor>> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "cannot create a pipe");
  return std::pair{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!added.contains(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<std::unique_ptr<Channel>> start_channel(const std::vector<std::string>& arguments,
                                               const std::map<std::string, std::string>& environment) {
  TRY_ASSIGN(auto in, make_pipe());
  TRY_ASSIGN(auto out, make_pipe());
  TRY_ASSIGN(auto err, make_pipe());
  std::vector<std::string> copy = arguments;
  std::vector<std::string> variables = merged_environment(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.first.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.second.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.second.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&defaults, number);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error_number = ::posix_spawnp(&pid, copy[0].c_str(), &actions, &attributes, pointers(copy).data(),
                                          pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number == ENOENT)
    return fail(ErrorCode::not_found, "the program {} is not installed", arguments[0]);
  if (error_number != 0) return fail_errno(error_number, "cannot start " + arguments[0]);
  return std::make_unique<ProcessChannel>(pid, std::move(in.second), std::move(out.first),
                                          std::move(err.first));
}

}  // namespace sealift::installer
