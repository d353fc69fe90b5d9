/// Checksum files as upstreams publish them beside their releases.
///
/// One line a file, in one of these forms (GNU coreutils sha256sum, BSD cksum, and the bare digest of
/// dl.k8s.io):
///
///     <hex>
///     <hex>  name          text mode
///     <hex> *name          binary mode
///     SHA256 (name) = <hex>
///
/// A leading "./" or a path before the name is ignored; lines that are none of these (comments, signatures'
/// frames) are skipped.
#pragma once

#include <string_view>

#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::builder {

/// The digest for `name`: sha256 when the file has one, else sha512. A bare digest counts only in a file with
/// a single digest. Two different digests for the same name are an error. `what` names the checksum file in
/// errors (integrity, not_found).
Result<Digest> find_checksum(std::string_view text, std::string_view name, std::string_view what);

}  // namespace sealift::builder
