#include "lib/base/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/spawn.hpp"

namespace sealift {

namespace {

void keep_end(std::string& text, std::uint64_t limit) {
  if (text.size() > limit * 2) text.erase(0, text.size() - limit);
}

/// Feeds and drains the three pipes until the outputs close; false when the deadline passed.
bool pump(const Command& command, ChildProcess& child, CommandOutput& output) {
  const auto end = std::chrono::steady_clock::now() + command.deadline;
  std::size_t fed = 0;
  if (command.input.empty()) child.in = FileDescriptor();
  if (child.in) ::fcntl(child.in.get(), F_SETFL, O_NONBLOCK);
  while (child.out || child.err) {
    std::array<pollfd, 3> polls{
        {{child.out.get(), POLLIN, 0}, {child.err.get(), POLLIN, 0}, {child.in.get(), POLLOUT, 0}}};
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
    drain(polls[0], child.out, output.out);
    drain(polls[1], child.err, output.err);
    if (child.in && polls[2].revents != 0) {
      const ssize_t count = ::write(child.in.get(), command.input.data() + fed, command.input.size() - fed);
      if (count > 0) fed += static_cast<std::size_t>(count);
      if ((count < 0 && errno != EAGAIN && errno != EINTR) || fed == command.input.size())
        child.in = FileDescriptor();
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
  const auto end = std::chrono::steady_clock::now() + command.deadline;
  TRY_ASSIGN(ChildProcess child, spawn(command.arguments, command.environment));
  CommandOutput output;
  int wait_status = 0;
  if (!pump(command, child, output) || !wait_for_exit(child.pid, end, wait_status)) {
    ::kill(-child.pid, SIGKILL);
    while (::waitpid(child.pid, &wait_status, 0) < 0 && errno == EINTR) {
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
