/// What a person is told about each kind of failure: the manual page is written from this table, and
/// docs/exit-codes.md is compared with it.
#pragma once

#include <span>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift {

struct ExitStatus {
  ErrorCode code;
  int status;
  std::string_view name;     ///< to_string(code)
  std::string_view meaning;  ///< one clause
  std::string_view advice;   ///< what to do; may be empty
};

/// Every failure there is, by rising status.
std::span<const ExitStatus> exit_statuses();

}  // namespace sealift
