#include "lib/base/result.hpp"

#include <cerrno>
#include <system_error>

namespace sealift {

tl::unexpected<Error> fail_errno(int error_number, std::string_view doing) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  // generic_category().message() is the thread-safe strerror.
  return fail(full ? ErrorCode::no_space : ErrorCode::io, "{}: {}", doing,
              std::generic_category().message(error_number));
}

}  // namespace sealift
