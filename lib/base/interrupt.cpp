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

constexpr std::array kSignals{SIGINT, SIGTERM};
/// What was done with them before.
std::array<struct sigaction, kSignals.size()> before;

void take_over() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    // Whoever started the program in the background wanted it to go on: ignored stays ignored.
    if (before[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

void give_back() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
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
  take_over();
}

Interrupts::~Interrupts() {
  if (!write_) return;  // moved from
  give_back();
  wake.store(-1);
  write_ = FileDescriptor();  // the waiter sees the end
}

}  // namespace sealift
