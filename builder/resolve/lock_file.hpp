/// One file by URL: the common part of files, components, Kubernetes' programs and manifests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/resolve/resolve.hpp"

namespace sealift::builder {

/// A file to pin.
struct WantedFile {
  std::string url;
  std::string checksums;         ///< URL of a checksum file, or empty
  std::optional<Digest> digest;  ///< already known, from bundle.yaml
  std::string path;
  std::string role;
  std::string platform;
  unsigned mode = 0644;
};

/// Digest, size and evidence of every file, in parallel. Where two have the same path and content one stays;
/// the same path with another content is invalid_argument. Files that may compress well are read as a whole
/// to learn their stored form, which the log says; one whose size upstream does not say beforehand is read
/// twice.
Result<ResolvedFiles> lock_files(const std::vector<WantedFile>& files, const ResolveContext& context);

/// Puts `from` into `to`; the same checks.
Status merge_files(ResolvedFiles from, ResolvedFiles& to);

}  // namespace sealift::builder
