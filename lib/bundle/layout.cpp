#include "lib/bundle/layout.hpp"

namespace sealift::bundle {

Layout lay_out(const std::vector<archive::TarEntry>& entries) {
  Layout layout;
  layout.entries.reserve(entries.size());
  std::uint64_t at = 0;
  for (const archive::TarEntry& entry : entries) {
    const std::uint64_t data = archive::tar_data_offset(entry, at);
    layout.entries.push_back({entry, at, data});
    at = archive::tar_next(data, entry.size);
  }
  layout.size = archive::tar_total_size(at);
  return layout;
}

std::string blob_path(const std::string& sha256_hex) { return "blobs/sha256/" + sha256_hex; }

}  // namespace sealift::bundle
