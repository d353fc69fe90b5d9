#include "lib/base/result.hpp"

#include <cerrno>
#include <system_error>

namespace sealift {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid-argument";
    case ErrorCode::not_found:
      return "not-found";
    case ErrorCode::io:
      return "io";
    case ErrorCode::no_space:
      return "no-space";
    case ErrorCode::network:
      return "network";
    case ErrorCode::authentication:
      return "authentication";
    case ErrorCode::integrity:
      return "integrity";
    case ErrorCode::untrusted:
      return "untrusted";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::precondition:
      return "precondition";
    case ErrorCode::interrupted:
      return "interrupted";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

int exit_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 2;
    case ErrorCode::not_found:
      return 3;
    case ErrorCode::io:
      return 4;
    case ErrorCode::no_space:
      return 5;
    case ErrorCode::network:
      return 6;
    case ErrorCode::authentication:
      return 7;
    case ErrorCode::integrity:
      return 8;
    case ErrorCode::untrusted:
      return 9;
    case ErrorCode::unsupported:
      return 10;
    case ErrorCode::conflict:
      return 11;
    case ErrorCode::precondition:
      return 12;
    case ErrorCode::interrupted:
      return 13;
    case ErrorCode::internal:
      return 70;
  }
  return 70;
}

tl::unexpected<Error> fail_errno(int error_number, std::string_view doing) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  // generic_category().message() is the thread-safe strerror.
  return fail(full ? ErrorCode::no_space : ErrorCode::io, "{}: {}", doing,
              std::generic_category().message(error_number));
}

}  // namespace sealift
