/// Reading one extent of a bundle to judge it, and nothing else. Internal to lib/bundle.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "lib/base/result.hpp"
#include "lib/bundle/reader.hpp"

namespace sealift::bundle {

/// What lies where, and what it must be.
struct ExtentCheck {
  std::string name;
  const Digest& digest;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  const FileEntry* content = nullptr;       ///< the file that lies in it compressed, to be checked, too
  const std::atomic<bool>* stop = nullptr;  ///< ends the reading with ErrorCode::interrupted
  std::function<void(std::uint64_t)> report = {};  ///< told of bytes as they were read
};

/// ErrorCode::integrity, naming the bundle, when the bytes or the content they compress are others than they
/// should be.
Status check_extent(const BundleFile& file, const ExtentCheck& check);

}  // namespace sealift::bundle
