#include "lib/bundle/lock.hpp"

#include "lib/base/json.hpp"
#include "lib/bundle/served_path.hpp"
#include "lib/bundle/words.hpp"

namespace sealift::bundle {

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

Result<Digest> read_digest(const json::Reader& reader, std::string_view key = "digest") {
  TRY_ASSIGN(const std::string text, reader.string(key));
  return within(Digest::parse(text), reader.path());
}

Result<StoredForm> read_stored(const json::Reader& reader, const LockedBlob& blob) {
  TRY_ASSIGN(const std::string encoding, reader.string("encoding"));
  if (encoding != kZstdEncoding) {
    return fail(ErrorCode::unsupported,
                "{}.encoding: expected \"{}\", found \"{}\"; a newer Sealift may read it", reader.path(),
                kZstdEncoding, encoding.substr(0, 40));
  }
  TRY_ASSIGN(Digest digest, read_digest(reader));
  StoredForm stored{.digest = std::move(digest), .size = 0, .by = {}};
  TRY_ASSIGN(stored.size, reader.unsigned_integer("size"));
  TRY_ASSIGN(stored.by, reader.string("by"));
  if (blob.origin.kind != OriginKind::url || stored.digest.algorithm() != DigestAlgorithm::sha256 ||
      stored.digest == blob.digest || stored.size == 0 || stored.size >= blob.size) {
    return fail(ErrorCode::integrity,
                "{}: expected the sha256 and the size, smaller than {}, of a compressed download, found {} "
                "of {} bytes",
                reader.path(), blob.size, stored.digest.str(), stored.size);
  }
  return stored;
}

Result<LockedBlob> read_blob(const json::Reader& reader) {
  TRY_ASSIGN(Digest digest, read_digest(reader));
  LockedBlob blob{.digest = std::move(digest), .size = 0, .media_type = {}, .origin = {}, .stored = {}};
  TRY_ASSIGN(blob.size, reader.unsigned_integer("size"));
  TRY_ASSIGN(blob.media_type, reader.string("mediaType"));
  TRY_ASSIGN(const std::string kind, reader.string("from"));
  std::size_t index = 0;
  while (index < std::size(kOriginKinds) && kOriginKinds[index] != kind) ++index;
  if (index == std::size(kOriginKinds))
    return fail(ErrorCode::integrity, "{}.from: unknown origin \"{}\"", reader.path(), kind);
  blob.origin.kind = static_cast<OriginKind>(index);
  TRY_ASSIGN(blob.origin.repository, reader.string_or("repository", ""));
  TRY_ASSIGN(blob.origin.url, reader.string_or("url", ""));
  TRY_ASSIGN(blob.origin.evidence, reader.strings("evidence"));
  if (blob.origin.kind == OriginKind::inlined) {
    TRY_ASSIGN(const std::string content, reader.string("content"));
    TRY_ASSIGN(blob.origin.content, within(from_base64(content), reader.path()));
    if (digest_of(blob.origin.content) != blob.digest || blob.origin.content.size() != blob.size) {
      return fail(ErrorCode::integrity, "{}: the inlined content does not have the digest {}", reader.path(),
                  blob.digest.str());
    }
  }
  if (reader.has("stored")) {
    TRY_ASSIGN(const json::Reader stored, reader.object("stored"));
    TRY_ASSIGN(blob.stored, read_stored(stored, blob));
  }
  return blob;
}

Result<LockedImage> read_image(const json::Reader& reader) {
  TRY_ASSIGN(Digest digest, read_digest(reader));
  LockedImage image{
      .name = {}, .digest = std::move(digest), .size = 0, .media_type = {}, .platforms = {}, .blobs = {}};
  TRY_ASSIGN(image.name, reader.string("name"));
  TRY_ASSIGN(image.size, reader.unsigned_integer("size"));
  TRY_ASSIGN(image.media_type, reader.string("mediaType"));
  TRY_ASSIGN(image.platforms, reader.strings("platforms"));
  TRY_ASSIGN(const auto blobs, reader.strings("blobs"));
  for (const std::string& text : blobs) {
    TRY_ASSIGN(Digest blob, within(Digest::parse(text), reader.path()));
    image.blobs.push_back(std::move(blob));
  }
  return image;
}

Result<LockedFile> read_file_entry(const json::Reader& reader) {
  TRY_ASSIGN(Digest digest, read_digest(reader));
  LockedFile file{.path = {}, .mode = 0644, .role = {}, .platform = {}, .digest = std::move(digest)};
  TRY_ASSIGN(file.path, reader.string("path"));
  if (!is_served_path("files/" + file.path)) {
    return fail(ErrorCode::integrity,
                "{}.path: \"{}\" must be {}; give another `path:` in bundle.yaml and lock again",
                reader.path(), file.path.substr(0, 120), kServedPathRule);
  }
  TRY_ASSIGN(const std::string mode, reader.string_or("mode", "0644"));
  file.mode = mode == "0755" ? 0755 : 0644;
  TRY_ASSIGN(file.role, reader.string_or("role", ""));
  TRY_ASSIGN(file.platform, reader.string_or("platform", ""));
  return file;
}

Result<LockedPackage> read_package(const json::Reader& reader) {
  TRY_ASSIGN(Digest digest, read_digest(reader));
  LockedPackage package{.name = {},
                        .version = {},
                        .architecture = {},
                        .filename = {},
                        .digest = std::move(digest),
                        .control = {}};
  TRY_ASSIGN(package.name, reader.string("name"));
  TRY_ASSIGN(package.version, reader.string("version"));
  TRY_ASSIGN(package.architecture, reader.string("architecture"));
  TRY_ASSIGN(package.filename, reader.string("filename"));
  if (!is_served_path(package.filename)) {
    return fail(ErrorCode::integrity, "{}.filename: \"{}\" must be {}", reader.path(),
                package.filename.substr(0, 120), kServedPathRule);
  }
  TRY_ASSIGN(const auto control, reader.strings("control"));
  package.control = joined(control);
  return package;
}

Result<LockedPackageSet> read_set(const json::Reader& reader) {
  LockedPackageSet set;
  TRY_ASSIGN(set.target, reader.string("target"));
  if (!is_served_path(set.target))
    return fail(ErrorCode::integrity, "{}.target: \"{}\" is not a plain name", reader.path(), set.target);
  TRY_ASSIGN(set.baseline, reader.string_or("baseline", ""));
  TRY_ASSIGN(set.architectures, reader.strings("architectures"));
  TRY_ASSIGN(set.install, reader.strings("install"));
  TRY(reader.each("packages", [&](const json::Reader& item) -> Status {
    TRY_ASSIGN(LockedPackage package, read_package(item));
    set.packages.push_back(std::move(package));
    return {};
  }));
  return set;
}

Status check_references(const Lock& lock, const std::string& file) {
  const auto check = [&](std::string_view name, const Digest& digest) -> Status {
    if (lock.blobs.contains(digest)) return {};
    return fail(ErrorCode::integrity, "{}: {} refers to the blob {}, which is not listed", file, name,
                digest.str());
  };
  for (const LockedImage& image : lock.images) {
    TRY(check(image.name, image.digest));
    for (const Digest& digest : image.blobs) TRY(check(image.name, digest));
  }
  for (const LockedFile& entry : lock.files) TRY(check(entry.path, entry.digest));
  for (const LockedPackageSet& set : lock.package_sets) {
    for (const LockedPackage& package : set.packages) TRY(check(package.filename, package.digest));
  }
  return {};
}

/// Only files are served decompressed, and a compressed form belongs to one blob.
Status check_stored(const Lock& lock, const std::string& file) {
  const auto check = [&](std::string_view name, const Digest& digest) -> Status {
    if (!lock.blobs.at(digest).stored) return {};
    return fail(ErrorCode::integrity,
                "{}: {} refers to the blob {}, which is stored compressed: only files may be", file, name,
                digest.str());
  };
  for (const LockedImage& image : lock.images) {
    TRY(check(image.name, image.digest));
    for (const Digest& digest : image.blobs) TRY(check(image.name, digest));
  }
  for (const LockedPackageSet& set : lock.package_sets) {
    for (const LockedPackage& package : set.packages) TRY(check(package.filename, package.digest));
  }
  std::map<Digest, const LockedBlob*> by_form;
  for (const auto& [digest, blob] : lock.blobs) {
    if (!blob.stored) continue;
    const auto same = lock.blobs.find(blob.stored->digest);
    const bool differs = same != lock.blobs.end() && same->second.size != blob.stored->size;
    if (differs || !by_form.emplace(blob.stored->digest, &blob).second) {
      return fail(ErrorCode::integrity, "{}: the compressed form {} of {} is another blob's, too", file,
                  blob.stored->digest.str(), digest.str());
    }
  }
  return {};
}

template <typename Item>
Status read_all_into(const json::Reader& root, std::string_view key, std::vector<Item>& items,
                     Result<Item> (*read)(const json::Reader&)) {
  return root.each(key, [&](const json::Reader& reader) -> Status {
    TRY_ASSIGN(Item item, read(reader));
    items.push_back(std::move(item));
    return {};
  });
}

}  // namespace

Result<Lock> parse_lock(std::string_view text, const std::string& file) {
  TRY_ASSIGN(const json::Value value, json::parse(text, file));
  TRY_ASSIGN(const json::Reader root, json::Reader::of(value, file));
  TRY_ASSIGN(const std::string api, root.string("apiVersion"));
  TRY_ASSIGN(const std::string kind, root.string("kind"));
  if (api != "sealift/v1" || kind != "BundleLock") {
    return fail(ErrorCode::invalid_argument, "{}: expected a BundleLock of sealift/v1, found {} of {}", file,
                kind, api);
  }
  Lock lock;
  TRY_ASSIGN(lock.name, root.string("name"));
  TRY_ASSIGN(lock.version, root.string("version"));
  TRY_ASSIGN(const std::string time, root.string("time"));
  TRY_ASSIGN(lock.time, within(parse_rfc3339(time), file));
  TRY_ASSIGN(lock.platforms, root.strings("platforms"));
  TRY_ASSIGN(lock.spec_digest, root.string_or("spec", ""));
  if (root.has("kubernetes")) {
    TRY_ASSIGN(const json::Reader kubernetes, root.object("kubernetes"));
    TRY_ASSIGN(lock.kubernetes_version, kubernetes.string("version"));
    TRY_ASSIGN(lock.kubernetes_images, kubernetes.strings("images"));
  }
  TRY(read_all_into(root, "images", lock.images, &read_image));
  TRY(read_all_into(root, "files", lock.files, &read_file_entry));
  TRY(read_all_into(root, "packages", lock.package_sets, &read_set));
  TRY(root.each("blobs", [&](const json::Reader& reader) -> Status {
    TRY_ASSIGN(LockedBlob blob, read_blob(reader));
    const Digest digest = blob.digest;
    lock.blobs.emplace(digest, std::move(blob));
    return {};
  }));
  TRY(check_references(lock, file));
  TRY(check_stored(lock, file));
  return lock;
}

}  // namespace sealift::bundle
