/// Which form of a compressed file a client takes (RFC 9110, section 12.5.3).
#pragma once

#include <string_view>

namespace sealift::repo_server::http {

/// Whether an Accept-Encoding list admits zstd and does not like the plain form better: "gzip, zstd",
/// "zstd;q=0.5". False for "zstd;q=0", for a malformed weight and where zstd is not named: many who send "*"
/// cannot decompress it.
bool admits_zstd(std::string_view accept_encoding);

}  // namespace sealift::repo_server::http
