#include "lib/base/exit_status.hpp"

#include <cstddef>

namespace sealift {
namespace {

constexpr std::string_view kContinues = "run the same command again: it continues";

constexpr ExitStatus kExitStatuses[] = {
    {ErrorCode::invalid_argument, 2, "invalid-argument", "an option or a configuration file is wrong",
     "the message gives file, line and column"},
    {ErrorCode::not_found, 3, "not-found", "something named does not exist", ""},
    {ErrorCode::io, 4, "io", "the operating system refused something", ""},
    {ErrorCode::no_space, 5, "no-space", "the disk is full, or would be",
     "the message says how much is needed"},
    {ErrorCode::network, 6, "network", "an upstream or host could not be reached or broke off", kContinues},
    {ErrorCode::authentication, 7, "authentication", "credentials or a host key were missing or refused", ""},
    {ErrorCode::integrity, 8, "integrity", "bytes differ from what digest, size or format say",
     "carry the file again"},
    {ErrorCode::untrusted, 9, "untrusted",
     "a signature is missing, wrong, expired, or by nobody you trust; or others can read a private key", ""},
    {ErrorCode::unsupported, 10, "unsupported", "valid, but not something this program does", ""},
    {ErrorCode::conflict, 11, "conflict", "the present state contradicts the request", ""},
    {ErrorCode::precondition, 12, "precondition",
     "a host does not meet a requirement, or sealift status found something that is not healthy",
     "sealift preflight lists all requirements that are not met"},
    {ErrorCode::interrupted, 13, "interrupted", "stopped by a signal or a time-out", kContinues},
    {ErrorCode::internal, 70, "internal", "a defect in Sealift", "please report it"},
};

/// Every code has its row, in the order of the enumeration.
constexpr bool is_complete() {
  std::size_t count = 0;
  for (const ExitStatus& row : kExitStatuses) {
    if (static_cast<std::size_t>(row.code) != count++) return false;
  }
  return count == static_cast<std::size_t>(ErrorCode::internal) + 1;
}
static_assert(is_complete());

const ExitStatus& row_of(ErrorCode code) { return kExitStatuses[static_cast<std::size_t>(code)]; }

}  // namespace

std::span<const ExitStatus> exit_statuses() { return kExitStatuses; }

std::string_view to_string(ErrorCode code) { return row_of(code).name; }

int exit_status(ErrorCode code) { return row_of(code).status; }

}  // namespace sealift
