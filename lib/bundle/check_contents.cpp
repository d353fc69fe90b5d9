#include "lib/bundle/check_contents.hpp"

#include <algorithm>

#include "lib/archive/tar_header.hpp"

namespace sealift::bundle {

namespace {

struct Extent {
  std::uint64_t offset;
  std::uint64_t size;
};

Status check_extents(const Contents& contents, const std::string& what) {
  std::vector<Extent> extents;
  for (const HeadEntry& head : contents.head) extents.push_back({head.offset, head.size});
  for (const auto& [digest, blob] : contents.blobs) {
    if (blob.offset) extents.push_back({*blob.offset, blob.size});
  }
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  std::uint64_t end = 0;
  for (const Extent& extent : extents) {
    const bool inside = extent.offset <= contents.size && extent.size <= contents.size - extent.offset;
    const bool apart = extent.offset >= end && extent.offset - end >= archive::kTarBlock;
    if (!inside || extent.offset % archive::kTarAlignment != 0 || !apart) {
      return fail(ErrorCode::integrity,
                  "{}: the entry of {} bytes at offset {} is misaligned, overlaps another or lies outside",
                  what, extent.size, extent.offset);
    }
    end = extent.offset + extent.size;
  }
  return {};
}

Status check_reference(const Contents& contents, const std::string& what, std::string_view name,
                       const Digest& digest) {
  if (contents.blobs.contains(digest)) return {};
  return fail(ErrorCode::integrity, "{}: {} refers to the blob {}, which is not listed", what, name,
              digest.str());
}

Status check_references(const Contents& contents, const std::string& what) {
  for (const ImageEntry& image : contents.images)
    TRY(check_reference(contents, what, image.name, image.digest));
  for (const FileEntry& file : contents.files) TRY(check_reference(contents, what, file.path, file.blob()));
  for (const PackageSetEntry& set : contents.package_sets) {
    for (const PackageEntry& package : set.packages) {
      TRY(check_reference(contents, what, package.path, package.digest));
    }
  }
  const auto not_before = [](const FileEntry& a, const FileEntry& b) { return a.path >= b.path; };
  const auto by_name = [](const ImageEntry& a, const ImageEntry& b) { return a.name < b.name; };
  if (std::adjacent_find(contents.files.begin(), contents.files.end(), not_before) != contents.files.end() ||
      !std::is_sorted(contents.images.begin(), contents.images.end(), by_name)) {
    return fail(ErrorCode::integrity, "{}: images and files must be sorted, and each path there once", what);
  }
  return {};
}

/// A compressed file is smaller in its blob than by itself, and one blob is one file's content.
Status check_stored_files(const Contents& contents, const std::string& what) {
  std::map<Digest, const FileEntry*> by_blob;
  for (const FileEntry& file : contents.files) {
    if (!file.stored) continue;
    const std::uint64_t stored_bytes = contents.blobs.at(*file.stored).size;
    if (*file.stored == file.digest || stored_bytes == 0 || stored_bytes >= file.size) {
      return fail(ErrorCode::integrity,
                  "{}: {} of {} bytes cannot be compressed into the blob {} of {} bytes", what, file.path,
                  file.size, file.stored->str(), stored_bytes);
    }
    const FileEntry& first = *by_blob.emplace(*file.stored, &file).first->second;
    if (first.digest != file.digest || first.size != file.size) {
      return fail(ErrorCode::integrity, "{}: {} and {} differ, but both are said to be in the blob {}", what,
                  first.path, file.path, file.stored->str());
    }
  }
  return {};
}

}  // namespace

Status check_contents(const Contents& contents, const std::string& what) {
  TRY(check_extents(contents, what));
  TRY(check_references(contents, what));
  return check_stored_files(contents, what);
}

}  // namespace sealift::bundle
