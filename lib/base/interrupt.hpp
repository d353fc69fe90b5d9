/// Ctrl-C and `kill` as a request to stop in order.
#pragma once

#include <stop_token>
#include <thread>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"

namespace sealift {

/// While it lives, the first SIGINT or SIGTERM is a stop request; a second one ends the program at once. One
/// that was ignored before (nohup) still is. One at a time in a program.
class Interrupts {
 public:
  static Result<Interrupts> watch();
  ~Interrupts();
  Interrupts(Interrupts&&) = default;
  Interrupts& operator=(Interrupts&&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  Interrupts(FileDescriptor read, FileDescriptor write);

  std::stop_source stop_;
  FileDescriptor write_;
  std::jthread waiter_;  // last: it uses what is above
};

}  // namespace sealift
