/// Spec → Lock: every tag becomes a digest, every package set a closure, every file a size and a sha256.
#pragma once

#include <vector>

#include "builder/fetch/fetcher.hpp"
#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/spec.hpp"

namespace sealift::builder {

struct LockOptions {
  fs::path spec_directory;                     ///< relative paths in bundle.yaml start here
  std::vector<fs::path> baseline_directories;  ///< searched for named baselines
  Timestamp time{};  ///< becomes the time of the lock, and of everything in the bundle
  unsigned jobs = 4;
};

/// Asks the upstreams; writes nothing.
Result<bundle::Lock> lock_bundle(const bundle::Spec& spec, Fetcher& fetcher, const LockOptions& options,
                                 Log& log);

}  // namespace sealift::builder
