/// A file on its way into a bundle that holds it compressed: both forms are checked while it passes.
#pragma once

#include <functional>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/writer.hpp"

namespace sealift::builder {

/// Compresses what `fetch` writes, the file from its first byte, into `sink`, which must stand at its first
/// byte, and commits that. Another file than locked is ErrorCode::integrity naming where it came from. The
/// right file that does not become the locked blob is ErrorCode::unsupported when another version of the
/// library made the lock: it says which, and what to do.
Status compress_blob(const bundle::LockedBlob& blob, const std::function<Status(Sink&)>& fetch,
                     bundle::BlobSink& sink);

}  // namespace sealift::builder
