/// From a handler's Response to the bytes of a head and the part of the body that is to follow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "repo-server/http/message.hpp"

namespace sealift::repo_server::http {

/// What goes over the wire. Exactly one of text (maybe empty), file and expanded holds the body.
struct Prepared {
  int status = 200;
  std::string head;  ///< status line to empty line
  std::string owned_text;
  std::shared_ptr<const std::string> shared_text;
  std::string_view text;  ///< points into owned_text or *shared_text; what HEAD leaves out is left out
  std::optional<FileBody> file;
  std::optional<ZstdBody> expanded;
  bool keep_alive = true;

  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  std::uint64_t body_size() const {
    if (expanded) return expanded->length;
    return file ? file->size : text.size();
  }
};

/// Applies conditions and the range, and renders the head. `date` is the Date header's value; `keep_alive`
/// what the connection wants.
std::unique_ptr<Prepared> prepare_response(const Request& request, Response response, std::string_view date,
                                           bool keep_alive);

/// An answer to a head that could not be parsed: closes.
std::string render_refusal(int status, std::string_view reason, std::string_view date);

}  // namespace sealift::repo_server::http
