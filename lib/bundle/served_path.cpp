#include "lib/bundle/served_path.hpp"

#include <algorithm>

#include "lib/base/files.hpp"

namespace sealift::bundle {

namespace {

constexpr std::size_t kMaxPathBytes = 1024;

}  // namespace

bool is_served_path(std::string_view path) {
  const bool plain =
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
  return plain && path.size() <= kMaxPathBytes && is_confined_path(path);
}

}  // namespace sealift::bundle
