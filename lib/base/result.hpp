/// The one way a function reports failure: Result<T> holds a value or an Error that a person can act on.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace sealift {

/// What kind of failure it is. Few on purpose: a test names one, a table maps each to an exit status.
enum class ErrorCode {
  invalid_argument,  ///< the caller's option, configuration file or input is wrong
  not_found,         ///< something named does not exist
  io,                ///< the operating system refused an operation
  no_space,          ///< the disk is full, or would be
  network,           ///< an upstream or a peer could not be reached or broke off
  authentication,    ///< credentials or a host key were missing or refused
  integrity,         ///< bytes differ from what their digest, size or format says
  untrusted,         ///< a signature is missing, wrong, expired or by nobody we trust
  unsupported,       ///< valid, but not something this program does
  conflict,          ///< the present state contradicts the request
  precondition,      ///< a host or machine does not meet a requirement
  interrupted,       ///< stopped by a signal or a time-out; the same command continues
  internal,          ///< a defect in Sealift
};

/// Stable lower-case name of a code, as printed by --json ("invalid-argument").
std::string_view to_string(ErrorCode code);

/// Process exit status of a code; the table is documented in docs/exit-codes.md.
int exit_status(ErrorCode code);

/// A failure: a kind, and one sentence that names the object, what was expected and what was found.
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// Puts what was being done in front: "reading index.json: <message>".
  Error within(std::string_view doing) && {
    message_ = fmt::format("{}: {}", doing, message_);
    return std::move(*this);
  }

 private:
  ErrorCode code_;
  std::string message_;
};

template <typename T>
using Result = tl::expected<T, Error>;

/// Success without a value.
using Status = Result<void>;

/// Builds the failing side: `return fail(ErrorCode::io, "cannot open {}", path);`
template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error(code, fmt::format(format, std::forward<Args>(args)...)));
}

/// `fail` for a failed system call: appends the text of `error_number`, and turns ENOSPC/EDQUOT into
/// no_space.
[[nodiscard]] tl::unexpected<Error> fail_errno(int error_number, std::string_view doing);

/// Adds what was being done to a failing result and leaves a good one alone.
template <typename T>
[[nodiscard]] Result<T> within(Result<T> result, std::string_view doing) {
  if (result) return result;
  return tl::unexpected<Error>(std::move(result).error().within(doing));
}

}  // namespace sealift

#define SEALIFT_CONCAT_(a, b) a##b
#define SEALIFT_CONCAT(a, b) SEALIFT_CONCAT_(a, b)

/// Returns from the enclosing function when `expression` failed; its value, if any, is dropped.
#define TRY(expression)                                                      \
  do {                                                                       \
    auto try_result_ = (expression);                                         \
    if (!try_result_) return tl::unexpected(std::move(try_result_).error()); \
  } while (false)

/// `TRY_ASSIGN(auto x, f());` declares x from the value of f() or returns its error.
#define TRY_ASSIGN(declaration, ...)                                                 \
  auto SEALIFT_CONCAT(try_result_, __LINE__) = (__VA_ARGS__);                        \
  if (!SEALIFT_CONCAT(try_result_, __LINE__))                                        \
    return tl::unexpected(std::move(SEALIFT_CONCAT(try_result_, __LINE__)).error()); \
  declaration = std::move(*SEALIFT_CONCAT(try_result_, __LINE__))
