#include "lib/base/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/files.hpp"

extern char** environ;

namespace sealift {

namespace {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "cannot create a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (added.contains(std::string(text.substr(0, text.find('='))))) continue;
    result.emplace_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

Result<pid_t> spawn(const Command& command, const Pipe& in, const Pipe& out, const Pipe& err) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = merged_environment(command.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Its own group, so that a deadline ends its children too; and none of our signal settings.
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal_number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&defaults, signal_number);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error_number = ::posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes,
                                          pointers(arguments).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number == ENOENT) {
    return fail(ErrorCode::not_found, "the program {} is not installed (not found in PATH)", arguments[0]);
  }
  if (error_number != 0) return fail_errno(error_number, fmt::format("cannot start {}", arguments[0]));
  return pid;
}

void keep_end(std::string& text, std::uint64_t limit) {
  if (text.size() > limit * 2) text.erase(0, text.size() - limit);
}

/// Feeds and drains the three pipes until the outputs close; false when the deadline passed.
bool pump(const Command& command, Pipe& in, Pipe& out, Pipe& err, CommandOutput& output) {
  const auto end = std::chrono::steady_clock::now() + command.deadline;
  std::size_t fed = 0;
  if (command.input.empty()) in.write = FileDescriptor();
  if (in.write) ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
  while (out.read || err.read) {
    std::array<pollfd, 3> polls{
        {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}, {in.write.get(), POLLOUT, 0}}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const int ready =
        ::poll(polls.data(), polls.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    const auto drain = [&](const pollfd& poll, FileDescriptor& file, std::string& text) {
      if ((poll.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return;
      std::array<char, 16384> buffer{};
      const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
      if (count > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
        keep_end(text, command.output_limit_bytes);
      } else if (count == 0 || errno != EINTR) {
        file = FileDescriptor();
      }
    };
    drain(polls[0], out.read, output.out);
    drain(polls[1], err.read, output.err);
    if (in.write && polls[2].revents != 0) {
      const ssize_t count = ::write(in.write.get(), command.input.data() + fed, command.input.size() - fed);
      if (count > 0) fed += static_cast<std::size_t>(count);
      if ((count < 0 && errno != EAGAIN && errno != EINTR) || fed == command.input.size())
        in.write = FileDescriptor();
    }
  }
  return true;
}

/// A program may close its outputs and go on; it is given what is left of the deadline.
bool wait_for_exit(pid_t pid, std::chrono::steady_clock::time_point end, int& wait_status) {
  for (;;) {
    const pid_t done = ::waitpid(pid, &wait_status, WNOHANG);
    if (done == pid) return true;
    if (done < 0 && errno != EINTR) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    ::poll(nullptr, 0, 2);
  }
}

}  // namespace

Result<CommandOutput> run(const Command& command) {
  if (command.arguments.empty()) return fail(ErrorCode::internal, "run: no program given");
  TRY_ASSIGN(Pipe in, make_pipe());
  TRY_ASSIGN(Pipe out, make_pipe());
  TRY_ASSIGN(Pipe err, make_pipe());
  const auto end = std::chrono::steady_clock::now() + command.deadline;
  TRY_ASSIGN(const pid_t pid, spawn(command, in, out, err));
  in.read = FileDescriptor();
  out.write = FileDescriptor();
  err.write = FileDescriptor();
  CommandOutput output;
  int wait_status = 0;
  if (!pump(command, in, out, err, output) || !wait_for_exit(pid, end, wait_status)) {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    return fail(ErrorCode::interrupted, "{} did not finish within {} s and was ended", command.arguments[0],
                std::chrono::duration_cast<std::chrono::seconds>(command.deadline).count());
  }
  output.exit_code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
  for (std::string* text : {&output.out, &output.err}) {
    if (text->size() > command.output_limit_bytes) text->erase(0, text->size() - command.output_limit_bytes);
  }
  return output;
}

Result<CommandOutput> run_checked(const Command& command) {
  TRY_ASSIGN(CommandOutput output, run(command));
  if (output.ok()) return output;
  std::string_view tail = output.err.empty() ? output.out : output.err;
  while (!tail.empty() && tail.back() == '\n') tail.remove_suffix(1);
  if (tail.size() > 2000) tail.remove_prefix(tail.size() - 2000);
  return fail(ErrorCode::io, "{} failed with exit code {}: {}", command.arguments[0], output.exit_code, tail);
}

}  // namespace sealift
