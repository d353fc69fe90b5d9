#include "repo-server/http/expanded_body.hpp"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace sealift::repo_server::http {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

}  // namespace

Result<std::size_t> ExpandedBody::StoredBytes::read(MutableBytes buffer) {
  if (!stored_->file->is_unchanged())
    return fail(ErrorCode::conflict, "the bundle was changed while it is served");
  const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), stored_->size - position_);
  if (wanted == 0) return std::size_t{0};
  while (true) {
    const ssize_t got = ::pread(stored_->file->descriptor(), buffer.data(), wanted,
                                static_cast<off_t>(stored_->offset + position_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "cannot read the bundle");
    position_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
}

ExpandedBody::ExpandedBody(ZstdBody body)
    : body_(std::move(body)),
      stored_(body_.stored),
      content_(stored_, body_.size, "the stored file"),
      piece_(kPieceBytes) {}

Result<std::string_view> ExpandedBody::next() {
  TRY_ASSIGN(const std::size_t count, content_.read(piece_));
  if (count == 0) return fail(ErrorCode::integrity, "the stored file ends after {} bytes", position_);
  const std::uint64_t begin = std::max(position_, body_.first);
  const std::uint64_t end = std::min(position_ + count, body_.first + body_.length);
  std::string_view piece;
  if (begin < end)
    piece = as_text(Bytes(piece_)).substr(static_cast<std::size_t>(begin - position_), end - begin);
  position_ = std::min(position_ + count, body_.first + body_.length);
  return piece;
}

}  // namespace sealift::repo_server::http
