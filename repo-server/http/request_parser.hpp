/// Reading a request's head. The grammar is Boost.Beast's (RFC 9112); what we accept of it is decided here.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "repo-server/http/message.hpp"

namespace sealift::repo_server::http {

/// Larger heads are answered with 431 and the connection is closed.
inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;

/// Why a head is refused: the connection is answered with `status` and closed.
struct BadRequest {
  int status = 400;
  std::string_view reason;
};

/// The length of the head at the start of `data` with its empty line, or 0 when its end has not arrived.
/// `from` is where to go on looking (what an earlier call has seen, or 0).
std::size_t find_head_end(std::string_view data, std::size_t from);

/// Parses one whole head, the empty line included. A body whose end is not known for certain is refused: no
/// byte of it is ever taken for a request.
std::variant<Request, BadRequest> parse_request_head(std::string_view head);

}  // namespace sealift::repo_server::http
