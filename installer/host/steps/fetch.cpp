#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installer/host/http.hpp"
#include "installer/host/steps/kinds.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

using namespace std::chrono_literals;

/// A connection may break or stand still although the mirror is well: a firewall was loaded anew, a cable
/// changed, the mirror started again.
constexpr unsigned kRounds = 3;
constexpr std::chrono::milliseconds kBetweenRounds = 1s;  ///< times the rounds so far
constexpr std::chrono::milliseconds kPoll = 100ms;

/// Counts for the progress display.
class ProgressSink final : public Sink {
 public:
  ProgressSink(Sink& to, const StepContext& context, std::uint64_t total)
      : to_(&to), context_(&context), total_(total) {}
  Status write(Bytes data) override {
    TRY(to_->write(data));
    done_ += data.size();
    context_->progress(done_, total_);
    return {};
  }

 private:
  Sink* to_;
  const StepContext* context_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
};

Status download_once(const StepContext& context, const Download& from, const std::string& url,
                     const std::string& what, const std::string& path) {
  TRY_ASSIGN(const FileDescriptor file, open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  FileSink to_file(file, 0);
  ProgressSink counted(to_file, context, from.size);
  VerifyingSink verified(counted, from.digest, from.size, what);
  TRY_ASSIGN(const HttpAnswer answer,
             http_get({.url = url, .ca_pem = from.ca_pem, .stop = &context.stop}, verified));
  if (answer.status != 200) {
    const ErrorCode code = answer.status >= 500 ? ErrorCode::network : ErrorCode::not_found;
    return fail(code, "{} answers {}", url, answer.status);
  }
  TRY(verified.finish());
  if (::fsync(file.get()) != 0) return fail_errno(errno, "cannot sync " + path);
  return {};
}

/// ErrorCode::network when one of the URLs failed by it: then it is worth another try.
Status download_from_any(const StepContext& context, const Download& from, const std::string& what,
                         const std::string& target_path) {
  std::string errors;
  ErrorCode code = ErrorCode::network;
  for (const std::string& url : from.urls) {
    const Status status = download_once(context, from, url, what, target_path);
    if (status) return {};
    ::unlink(target_path.c_str());
    const ErrorCode this_code = status.error().code();
    if (this_code == ErrorCode::interrupted || this_code == ErrorCode::no_space || this_code == ErrorCode::io)
      return status;
    if (errors.empty() || code != ErrorCode::network) code = this_code;
    errors += (errors.empty() ? "" : "; ") + status.error().message();
  }
  return fail(code, "{} cannot be fetched: {}", what, errors);
}

Status check_machine(const std::string& path, const std::string& machine, const std::string& what) {
  if (machine.empty()) return {};
  Elf64_Ehdr header{};
  TRY_ASSIGN(const FileDescriptor file, open_for_reading(path));
  const Status read = read_exactly_at(file, 0, std::as_writable_bytes(std::span(&header, 1)));
  if (!read || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return fail(ErrorCode::integrity, "{} is not a program (no ELF header)", what);
  }
  const int expected = machine == "x86_64" ? EM_X86_64 : machine == "aarch64" ? EM_AARCH64 : EM_NONE;
  if (header.e_machine != expected) {
    return fail(ErrorCode::precondition,
                "{} is a program for another machine (ELF machine {}), this host is {}", what,
                header.e_machine, machine);
  }
  return {};
}

}  // namespace

Status download(const StepContext& context, const Download& from, const std::string& what,
                const std::string& target_path) {
  for (unsigned round = 1;; ++round) {
    const Status status = download_from_any(context, from, what, target_path);
    if (status || status.error().code() != ErrorCode::network || round == kRounds) return status;
    context.output(fmt::format("{}; again in a moment", status.error().message()));
    for (auto left = kBetweenRounds * round; left.count() > 0 && !context.stop.load(); left -= kPoll)
      std::this_thread::sleep_for(kPoll);
  }
}

Result<CheckOutcome> check(const StepContext& context, const FetchFile& wish) {
  const std::string path = context.at(wish.path);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return CheckOutcome{false, describe(wish), {}};
  if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != wish.from.size) {
    return CheckOutcome{false, fmt::format("{} differs", wish.path), {}};
  }
  if ((info.st_mode & 07777U) != wish.mode)
    return CheckOutcome{false, fmt::format("{} has another mode", wish.path), {}};
  const auto digest = digest_of_file(path);
  if (!digest || *digest != wish.from.digest)
    return CheckOutcome{false, fmt::format("{} differs", wish.path), {}};
  return CheckOutcome{true, fmt::format("{} is as it should be", wish.path), {}};
}

Result<ApplyOutcome> apply(const StepContext& context, const FetchFile& wish) {
  const std::string path = context.at(wish.path);
  TRY(make_parents(context, wish.path));
  TRY(context.journal.keep_original(wish.path));
  const std::string temporary = path + ".sealift-new";
  TRY(download(context, wish.from, wish.path, temporary));
  if (Status machine = check_machine(temporary, wish.elf_machine, wish.path); !machine) {
    ::unlink(temporary.c_str());
    return tl::unexpected(std::move(machine).error());
  }
  if (::chmod(temporary.c_str(), static_cast<mode_t>(wish.mode)) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail_errno(errno, fmt::format("cannot write {}", wish.path));
  }
  return ApplyOutcome{describe(wish), {}, {}};
}

Status undo(const StepContext& context, const FetchFile& wish) {
  return context.journal.restore_original(wish.path);
}

}  // namespace sealift::installer
