#include "installer/host/steps/apt_guards.hpp"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>

#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::string_view kPolicyMark = "# sealift: services start when they are configured\n";
const char* const kPolicy = "/usr/sbin/policy-rc.d";
const char* const kPolicyKept = "/usr/sbin/policy-rc.d.before-sealift";

/// The process that holds a lock of apt or dpkg, or 0.
pid_t lock_holder() {
  for (const std::string& path :
       {std::string("/var/lib/dpkg/lock-frontend"), std::string("/var/lib/dpkg/lock"),
        fmt::format("{}/lists/lock", kAptDirectory), fmt::format("{}/cache/archives/lock", kAptDirectory)}) {
    const auto file = open_file(path, O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (file && ::fcntl(file->get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
      return lock.l_pid > 0 ? lock.l_pid : 1;
  }
  return 0;
}

}  // namespace

bool policy_is_ours() {
  const auto text = read_file(kPolicy, 64 << 10);
  return text && text->find(kPolicyMark) != std::string::npos;
}

Status NoServiceStarts::begin() {
  std::error_code error;
  if (!policy_is_ours() && fs::exists(kPolicy, error)) fs::rename(kPolicy, kPolicyKept, error);
  if (error) return fail(ErrorCode::io, "cannot put {} aside: {}", kPolicy, error.message());
  return write_file_atomically(kPolicy, fmt::format("#!/bin/sh\n{}exit 101\n", kPolicyMark), 0755);
}

Status NoServiceStarts::end() {
  std::error_code error;
  if (policy_is_ours()) fs::remove(kPolicy, error);
  if (!error && fs::exists(kPolicyKept, error)) fs::rename(kPolicyKept, kPolicy, error);
  if (error) return fail(ErrorCode::io, "cannot restore {}: {}", kPolicy, error.message());
  return {};
}

Status wait_for_package_managers(const StepContext& context) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  pid_t told = 0;
  for (pid_t holder = lock_holder(); holder != 0; holder = lock_holder()) {
    if (context.stop.load())
      return fail(ErrorCode::interrupted, "stopped while another package manager was at work");
    if (std::chrono::steady_clock::now() >= end) {
      return fail(ErrorCode::conflict,
                  "another package manager (process {}) is at work on this host; wait until it is done",
                  holder);
    }
    if (told != holder)
      context.output(fmt::format("waiting for another package manager (process {})", holder));
    told = holder;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return {};
}

}  // namespace sealift::installer
