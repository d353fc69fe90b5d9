/// sealift/bundle.json: the table of contents and root of trust of a bundle (docs/bundle-format.md, section
/// 4).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::bundle {

/// Where a blob came from; kept for the record.
struct Provenance {
  std::string source;  ///< upstream URL, "registry.k8s.io/pause", or "generated"
  std::vector<std::string> evidence;
};

/// A blob that is in this file (offset set) or that an earlier bundle of the same site holds (offset empty: a
/// delta).
struct BlobEntry {
  Digest digest;
  std::uint64_t size = 0;
  std::optional<std::uint64_t>
      offset;  ///< of its first byte from the start of the bundle; a multiple of 4096
  std::string media_type;
  Provenance provenance;
};

/// One of the few named entries before the blobs: oci-layout, index.json, the program.
struct HeadEntry {
  std::string path;
  Digest digest;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  unsigned mode = 0644;
};

struct ImageEntry {
  std::string name;
  Digest digest;
  std::string media_type;
  std::uint64_t size = 0;  ///< of all its blobs together
  std::vector<std::string> platforms;
};

/// One path of the repository server's tree (port 12480): files/…, apt/…, keys/….
struct FileEntry {
  std::string path;
  Digest digest;           ///< of the file itself
  std::uint64_t size = 0;  ///< of the file itself
  std::string media_type;
  unsigned mode = 0644;
  std::string role;  ///< as LockedFile::role
  std::string platform;
  std::optional<Digest> stored;  ///< set: the file lies in this blob as one zstd frame (lib/archive/zstd.hpp)

  /// The blob that holds it.
  const Digest& blob() const { return stored ? *stored : digest; }
};

struct PackageEntry {
  std::string name;
  std::string version;
  std::string architecture;
  std::string path;  ///< in the server's tree: "apt/debian-12/pool/…"
  Digest digest;
  std::uint64_t size = 0;
};

struct PackageSetEntry {
  std::string target;  ///< "debian-12"; the repository is at apt/<target>, suite "stable", component "main"
  std::string baseline;
  std::vector<std::string> architectures;
  std::vector<std::string> install;
  std::vector<PackageEntry> packages;
};

struct Contents {
  std::string name;
  std::string version;
  Timestamp time{};
  std::vector<std::string> platforms;
  std::string kubernetes_version;  ///< "v1.32.3" or empty
  std::vector<std::string> kubernetes_images;
  std::uint64_t size = 0;  ///< of the whole bundle file
  std::vector<HeadEntry> head;
  std::vector<ImageEntry> images;  ///< sorted by name
  std::vector<FileEntry> files;    ///< sorted by path
  std::vector<PackageSetEntry> package_sets;
  std::map<Digest, BlobEntry> blobs;

  const BlobEntry* find_blob(const Digest& digest) const;
  /// Exact reference, as in `name`.
  const ImageEntry* find_image(std::string_view reference) const;
  const FileEntry* find_file(std::string_view path) const;
  /// The file with that role for that platform ("linux/amd64"), or null.
  const FileEntry* find_role(std::string_view role, std::string_view platform) const;
};

/// Limits of a readable bundle.json: 256 MiB, one million blobs.
inline constexpr std::uint64_t kMaxContentsBytes = 256ULL << 20;

/// Checks every field and every cross reference (each image, file and package names a listed blob; offsets
/// are aligned, ascending, do not overlap and lie within `size`; a compressed file's blob is smaller than the
/// file).
Result<Contents> parse_contents(std::string_view text, const std::string& what);
std::string write_contents(const Contents& contents);

}  // namespace sealift::bundle
