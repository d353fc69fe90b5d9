#include "installer/host/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::array<const char*, 6> kPath = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                              "/usr/bin",        "/sbin",          "/bin"};
constexpr std::size_t kKeepOut = 1U << 20;
constexpr std::size_t kKeepErr = 64U << 10;
constexpr std::size_t kMaxLine = 4096;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

/// For a program that must outlive us: a pipe without a reader would kill it with its next line of output.
/// Two descriptors of one nameless file, read while it grows.
Result<Pipe> make_growing_file() {
  std::string name = "/tmp/sealift-output-XXXXXX";
  FileDescriptor write(::mkostemp(name.data(), O_CLOEXEC | O_APPEND));
  if (!write) return fail_errno(errno, "cannot create a file for output in /tmp");
  auto read = open_for_reading(name);
  ::unlink(name.c_str());
  if (!read) return tl::unexpected(std::move(read).error());
  return Pipe{std::move(*read), std::move(write)};
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "cannot create a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Result<Pipe> make_output(Orphan orphan) { return orphan == Orphan::dies ? make_pipe() : make_growing_file(); }

/// One output of the child: keeps its end and cuts it into lines.
class Stream {
 public:
  Stream(FileDescriptor file, std::string& kept, std::size_t keep, const Child& child)
      : file_(std::move(file)), kept_(&kept), keep_(keep), child_(&child) {
    ::fcntl(file_.get(), F_SETFL, O_NONBLOCK);
  }
  /// For poll(); a file is always "ready" and is looked at by the clock instead.
  int fd() const { return child_->orphan == Orphan::dies ? file_.get() : -1; }
  bool open() const { return static_cast<bool>(file_); }

  void drain() {
    std::array<char, 16384> buffer{};
    while (file_) {
      const ssize_t count = ::read(file_.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count == 0 && child_->orphan == Orphan::finishes) return;  // a file grows on
      if (count <= 0) {
        close();
        return;
      }
      take(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    }
  }
  void close() {
    if (!line_.empty()) emit();
    file_ = FileDescriptor();
  }

 private:
  void take(std::string_view text) {
    kept_->append(text);
    if (kept_->size() > keep_ * 2) kept_->erase(0, kept_->size() - keep_);
    for (const char c : text) {
      if (c == '\n' || c == '\r' || line_.size() >= kMaxLine) emit();
      if (c != '\n' && c != '\r') line_ += c;
    }
  }
  void emit() {
    if (!line_.empty() && child_->on_line) child_->on_line(line_);
    line_.clear();
  }

  FileDescriptor file_;
  std::string* kept_;
  std::size_t keep_;
  const Child* child_;
  std::string line_;
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Between fork and exec only async-signal-safe calls are allowed; everything was prepared before.
[[noreturn]] void become(const char* program, char* const* argv, char* const* envp, int in, int out, int err,
                         pid_t parent, Orphan orphan) {
  ::setpgid(0, 0);
  if (orphan == Orphan::dies) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::umask(022);
  ::execve(program, argv, envp);
  ::_exit(errno == ENOEXEC ? 126 : 127);
}

void end_group(pid_t pid, int& status) {
  ::kill(-pid, SIGTERM);
  for (int tries = 0; tries < 500; ++tries) {
    if (::waitpid(pid, &status, WNOHANG) != 0) {
      ::kill(-pid, SIGKILL);
      return;
    }
    ::poll(nullptr, 0, 10);
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

enum class Ending { exited, timed_out, stopped };

Ending supervise(const Child& child, pid_t pid, FileDescriptor in, Stream& out, Stream& err, int& status) {
  const auto end = std::chrono::steady_clock::now() + child.timeout;
  std::size_t fed = 0;
  ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  for (;;) {
    if (in && fed == child.input.size()) in = FileDescriptor();
    // The short wait also notices the exit of a program whose children keep its pipes open.
    std::array<pollfd, 3> polls{{{out.fd(), POLLIN, 0}, {err.fd(), POLLIN, 0}, {in.get(), POLLOUT, 0}}};
    ::poll(polls.data(), polls.size(), out.open() || err.open() ? 50 : 5);
    out.drain();
    err.drain();
    if (in && polls[2].revents != 0) {
      const ssize_t count = ::write(in.get(), child.input.data() + fed, child.input.size() - fed);
      if (count > 0) fed += static_cast<std::size_t>(count);
      if (count < 0 && errno != EAGAIN && errno != EINTR) in = FileDescriptor();
    }
    const pid_t waited = ::waitpid(pid, &status, WNOHANG);
    if (waited == pid) break;
    if (std::chrono::steady_clock::now() >= end) return end_group(pid, status), Ending::timed_out;
    if (child.stop != nullptr && child.stop->load()) return end_group(pid, status), Ending::stopped;
  }
  out.drain();
  err.drain();
  out.close();
  err.close();
  return Ending::exited;
}

}  // namespace

std::string find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  for (const char* directory : kPath) {
    std::string path = fmt::format("{}/{}", directory, name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

Result<ChildResult> run_child(const Child& child) {
  if (child.arguments.empty()) return fail(ErrorCode::internal, "no program given");
  const std::string program = find_program(child.arguments[0]);
  if (program.empty() || ::access(program.c_str(), X_OK) != 0) {
    return fail(ErrorCode::not_found, "the program {} is not installed on this host", child.arguments[0]);
  }
  std::vector<std::string> arguments = child.arguments;
  std::vector<std::string> environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                          "HOME=/root", "LANG=C.UTF-8", "LC_ALL=C.UTF-8"};
  for (const auto& [name, value] : child.environment) environment.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  TRY_ASSIGN(Pipe in, make_pipe());
  TRY_ASSIGN(Pipe out, make_output(child.orphan));
  TRY_ASSIGN(Pipe err, make_output(child.orphan));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno(errno, "cannot start a process");
  if (pid == 0) {
    become(program.c_str(), argv.data(), envp.data(), in.read.get(), out.write.get(), err.write.get(), parent,
           child.orphan);
  }
  ::setpgid(pid, pid);
  in.read = FileDescriptor();
  out.write = FileDescriptor();
  err.write = FileDescriptor();
  ChildResult result;
  Stream out_stream(std::move(out.read), result.out, kKeepOut, child);
  Stream err_stream(std::move(err.read), result.err, kKeepErr, child);
  int status = 0;
  const Ending ending = supervise(child, pid, std::move(in.write), out_stream, err_stream, status);
  if (ending == Ending::timed_out) {
    return fail(ErrorCode::interrupted, "{} did not finish within {} s and was ended{}", child.arguments[0],
                std::chrono::duration_cast<std::chrono::seconds>(child.timeout).count(),
                result.err.empty() ? "" : ": " + last_words(result));
  }
  if (ending == Ending::stopped)
    return fail(ErrorCode::interrupted, "{} was ended on request", child.arguments[0]);
  if (result.out.size() > kKeepOut) result.out.erase(0, result.out.size() - kKeepOut);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::string last_words(const ChildResult& result, std::size_t limit) {
  std::string_view text = result.err;
  if (text.find_first_not_of(" \n\r\t") == std::string_view::npos) text = result.out;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.size() > limit) {
    text.remove_prefix(text.size() - limit);
    if (const std::size_t line = text.find('\n'); line != std::string_view::npos)
      text.remove_prefix(line + 1);
  }
  return std::string(text);
}

}  // namespace sealift::installer
