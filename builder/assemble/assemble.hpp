/// Plan → file: fetches every wanted blob straight to its final offset, several at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "lib/base/log.hpp"
#include "lib/base/progress.hpp"
#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/bundle/writer.hpp"

namespace sealift::builder {

/// Streams the blob's bytes from `offset` on into the sink. Retries on its own; needs not check the digest.
using FetchBlob = std::function<Status(const bundle::LockedBlob& blob, std::uint64_t offset, Sink& sink)>;

/// Fetches what is missing with `jobs` streams, largest blobs first. After the first failure no new blob is
/// begun and the others stop; what has arrived stays for the next run. Every blob is checked against its
/// digest before it counts; what is to be stored compressed is compressed on the way (compress.hpp).
Status assemble(bundle::BundleWriter& writer, const bundle::Plan& plan, const FetchBlob& fetch, unsigned jobs,
                Progress& progress, Log& log);

}  // namespace sealift::builder
