/// A small HTTP(S) client for the machines of the site: fetches files from the mirror's repository port.
/// Numeric hosts only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::repo_server {

struct DownloadRequest {
  std::string url;  ///< "https://10.0.0.1:12480/files/bin/linux/amd64/kubeadm", "http://[fd00::1]:12480/…"
  std::string ca_pem;                       ///< the only authorities trusted for https; needed there
  std::optional<Digest> digest;             ///< checked when given
  std::optional<std::uint64_t> size;        ///< checked when given
  std::uint64_t limit_bytes = 64ULL << 30;  ///< never more than this, whatever the server says
  unsigned attempts = 5;                    ///< at least 1; a broken transfer continues where it stopped
  std::chrono::milliseconds stalled = std::chrono::seconds(30);  ///< connecting, and each piece of the answer
};

/// Streams the answer to a GET into `sink`; the sink may have seen bytes when this fails. Returns the size.
/// ErrorCode::not_found for 404, network when the server cannot be reached or breaks off, authentication when
/// its certificate is not by `ca_pem` or for another address, integrity when digest or size differ.
Result<std::uint64_t> download(const DownloadRequest& request, Sink& sink);

/// The whole answer as text, at most `request.limit_bytes` (and 64 MiB).
Result<std::string> download_text(DownloadRequest request);

}  // namespace sealift::repo_server
