#include "lib/base/interrupt.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace sealift {

namespace {

/// A signal handler is given nothing, so it must find this by itself.
std::atomic<int> wake{-1};

void on_signal(int) {
  const int saved = errno;
  const char byte = 1;
  (void)!::write(wake.load(), &byte, 1);
  errno = saved;
}

void set_handlers(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
}

}  // namespace

Result<Interrupts> Interrupts::watch() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "cannot make a pipe");
  return Interrupts(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

Interrupts::Interrupts(FileDescriptor read, FileDescriptor write) : write_(std::move(write)) {
  waiter_ = std::jthread([stop = stop_, read = std::move(read)]() mutable {
    char byte = 0;
    while (::read(read.get(), &byte, 1) < 0 && errno == EINTR) {
    }
    if (byte != 0) stop.request_stop();
  });
  wake.store(write_.get());
  set_handlers(on_signal, SA_RESETHAND | SA_RESTART);
}

Interrupts::~Interrupts() {
  if (!write_) return;  // moved from
  set_handlers(SIG_DFL, 0);
  wake.store(-1);
  write_ = FileDescriptor();  // the waiter sees the end
}

}  // namespace sealift
