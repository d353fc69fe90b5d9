#include "lib/bundle/contents.hpp"

#include <algorithm>

#include "lib/base/json.hpp"
#include "lib/bundle/check_contents.hpp"
#include "lib/bundle/printable.hpp"
#include "lib/bundle/served_path.hpp"
#include "lib/bundle/words.hpp"

namespace sealift::bundle {

namespace {

constexpr std::string_view kMediaType = "application/vnd.sealift.bundle.contents.v1+json";
constexpr std::size_t kMaxBlobs = 1'000'000;
constexpr std::uint64_t kMaxMemoryBytes = 1ULL << 30;
constexpr std::uint64_t kLeastMemoryBytes = 1ULL << 20;
constexpr std::uint64_t kMemoryFactor = 6;

json::Object write_head(const HeadEntry& head) {
  return {{"path", head.path},
          {"digest", head.digest.str()},
          {"size", head.size},
          {"offset", head.offset},
          {"mode", fmt::format("{:04o}", head.mode)}};
}

json::Object write_image(const ImageEntry& image) {
  return {{"name", image.name},
          {"digest", image.digest.str()},
          {"mediaType", image.media_type},
          {"size", image.size},
          {"platforms", json::to_array(image.platforms)}};
}

json::Object write_file(const FileEntry& file) {
  json::Object object{{"path", file.path},
                      {"digest", file.digest.str()},
                      {"size", file.size},
                      {"mediaType", file.media_type},
                      {"mode", fmt::format("{:04o}", file.mode)}};
  if (!file.role.empty()) object["role"] = file.role;
  if (!file.platform.empty()) object["platform"] = file.platform;
  if (file.stored) {
    object["encoding"] = kZstdEncoding;
    object["stored"] = file.stored->str();
  }
  return object;
}

json::Object write_package_set(const PackageSetEntry& set) {
  json::Array packages;
  for (const PackageEntry& package : set.packages) {
    packages.push_back(json::Object{{"name", package.name},
                                    {"version", package.version},
                                    {"architecture", package.architecture},
                                    {"path", package.path},
                                    {"digest", package.digest.str()},
                                    {"size", package.size}});
  }
  return {{"target", set.target},
          {"baseline", set.baseline},
          {"architectures", json::to_array(set.architectures)},
          {"install", json::to_array(set.install)},
          {"packages", std::move(packages)}};
}

json::Object write_blob(const BlobEntry& blob) {
  json::Object object{{"digest", blob.digest.str()}, {"size", blob.size}};
  if (blob.offset) object["offset"] = *blob.offset;
  object["mediaType"] = blob.media_type;
  object["source"] = blob.provenance.source;
  if (!blob.provenance.evidence.empty()) object["evidence"] = json::to_array(blob.provenance.evidence);
  return object;
}

Result<Digest> read_sha256(const json::Reader& reader, std::string_view key = "digest") {
  TRY_ASSIGN(const std::string text, reader.string(key));
  auto digest = Digest::parse(text);
  if (!digest) return fail(ErrorCode::integrity, "{}: {}", reader.path(), digest.error().message());
  if (digest->algorithm() != DigestAlgorithm::sha256) {
    return fail(ErrorCode::integrity, "{}: expected a sha256 digest, found {}", reader.path(), text);
  }
  return std::move(*digest);
}

Result<unsigned> read_mode(const json::Reader& reader) {
  TRY_ASSIGN(const std::string text, reader.string_or("mode", "0644"));
  if (text != "0644" && text != "0755") {
    return fail(ErrorCode::integrity, "{}.mode: expected \"0644\" or \"0755\", found \"{}\"", reader.path(),
                text);
  }
  return text == "0755" ? 0755U : 0644U;
}

Status check_path(const json::Reader& reader, const std::string& path) {
  if (is_served_path(path)) return {};
  return fail(ErrorCode::integrity, "{}.path: \"{}\" is not a plain relative path", reader.path(),
              path.substr(0, 120));
}

Status read_head(const json::Reader& reader, Contents& contents) {
  TRY_ASSIGN(Digest digest, read_sha256(reader));
  HeadEntry head{.path = {}, .digest = std::move(digest)};
  TRY_ASSIGN(head.path, reader.string("path"));
  TRY(check_path(reader, head.path));
  TRY_ASSIGN(head.size, reader.unsigned_integer("size"));
  TRY_ASSIGN(head.offset, reader.unsigned_integer("offset"));
  TRY_ASSIGN(head.mode, read_mode(reader));
  contents.head.push_back(std::move(head));
  return {};
}

Status read_image(const json::Reader& reader, Contents& contents) {
  TRY_ASSIGN(Digest digest, read_sha256(reader));
  ImageEntry image{.name = {}, .digest = std::move(digest)};
  TRY_ASSIGN(image.name, reader.string("name"));
  TRY_ASSIGN(image.media_type, reader.string("mediaType"));
  TRY_ASSIGN(image.size, reader.unsigned_integer("size"));
  TRY_ASSIGN(image.platforms, reader.strings("platforms"));
  contents.images.push_back(std::move(image));
  return {};
}

/// How a file lies in its blob, when not as it is.
Status read_encoding(const json::Reader& reader, FileEntry& file) {
  if (!reader.has("encoding") && !reader.has("stored")) return {};
  TRY_ASSIGN(const std::string encoding, reader.string("encoding"));
  if (encoding != kZstdEncoding) {
    return fail(ErrorCode::unsupported,
                "{}.encoding: expected \"{}\", found \"{}\"; a newer Sealift may read it", reader.path(),
                kZstdEncoding, encoding.substr(0, 40));
  }
  TRY_ASSIGN(file.stored, read_sha256(reader, "stored"));
  return {};
}

Status read_file_entry(const json::Reader& reader, Contents& contents) {
  TRY_ASSIGN(Digest digest, read_sha256(reader));
  FileEntry file{.path = {}, .digest = std::move(digest)};
  TRY_ASSIGN(file.path, reader.string("path"));
  TRY(check_path(reader, file.path));
  TRY_ASSIGN(file.size, reader.unsigned_integer("size"));
  TRY_ASSIGN(file.media_type, reader.string("mediaType"));
  TRY_ASSIGN(file.mode, read_mode(reader));
  TRY_ASSIGN(file.role, reader.string_or("role", ""));
  TRY_ASSIGN(file.platform, reader.string_or("platform", ""));
  TRY(read_encoding(reader, file));
  contents.files.push_back(std::move(file));
  return {};
}

Result<PackageEntry> read_package_entry(const json::Reader& reader) {
  TRY_ASSIGN(Digest digest, read_sha256(reader));
  PackageEntry package{
      .name = {}, .version = {}, .architecture = {}, .path = {}, .digest = std::move(digest)};
  TRY_ASSIGN(package.name, reader.string("name"));
  TRY_ASSIGN(package.version, reader.string("version"));
  TRY_ASSIGN(package.architecture, reader.string("architecture"));
  TRY_ASSIGN(package.path, reader.string("path"));
  TRY(check_path(reader, package.path));
  TRY_ASSIGN(package.size, reader.unsigned_integer("size"));
  return package;
}

Status read_package_set(const json::Reader& reader, Contents& contents) {
  PackageSetEntry set;
  TRY_ASSIGN(set.target, reader.string("target"));
  TRY_ASSIGN(set.baseline, reader.string_or("baseline", ""));
  TRY_ASSIGN(set.architectures, reader.strings("architectures"));
  TRY_ASSIGN(set.install, reader.strings("install"));
  TRY(reader.each("packages", [&](const json::Reader& item) -> Status {
    TRY_ASSIGN(PackageEntry package, read_package_entry(item));
    set.packages.push_back(std::move(package));
    return {};
  }));
  contents.package_sets.push_back(std::move(set));
  return {};
}

/// Several times what a real table of contents takes, which is read before anybody has vouched for it.
std::uint64_t memory_limit(std::string_view text) {
  return std::min<std::uint64_t>(kMaxMemoryBytes, kLeastMemoryBytes + kMemoryFactor * text.size());
}

Status read_blob_entry(const json::Reader& reader, Contents& contents) {
  TRY_ASSIGN(Digest digest, read_sha256(reader));
  BlobEntry blob{.digest = digest};
  TRY_ASSIGN(blob.size, reader.unsigned_integer("size"));
  if (reader.has("offset")) {
    TRY_ASSIGN(blob.offset, reader.unsigned_integer("offset"));
  }
  TRY_ASSIGN(blob.media_type, reader.string("mediaType"));
  TRY_ASSIGN(blob.provenance.source, reader.string_or("source", ""));
  TRY_ASSIGN(blob.provenance.evidence, reader.strings("evidence"));
  if (contents.blobs.size() == kMaxBlobs) return fail(ErrorCode::integrity, "more than {} blobs", kMaxBlobs);
  if (!contents.blobs.emplace(std::move(digest), std::move(blob)).second) {
    return fail(ErrorCode::integrity, "{}: the blob is listed twice", reader.path());
  }
  return {};
}

}  // namespace

const BlobEntry* Contents::find_blob(const Digest& digest) const {
  const auto found = blobs.find(digest);
  return found == blobs.end() ? nullptr : &found->second;
}

const ImageEntry* Contents::find_image(std::string_view reference) const {
  const auto found =
      std::lower_bound(images.begin(), images.end(), reference,
                       [](const ImageEntry& image, std::string_view key) { return image.name < key; });
  return found != images.end() && found->name == reference ? &*found : nullptr;
}

const FileEntry* Contents::find_file(std::string_view path) const {
  const auto found =
      std::lower_bound(files.begin(), files.end(), path,
                       [](const FileEntry& file, std::string_view key) { return file.path < key; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

const FileEntry* Contents::find_role(std::string_view role, std::string_view platform) const {
  for (const FileEntry& file : files) {
    if (file.role == role && (file.platform.empty() || file.platform == platform)) return &file;
  }
  return nullptr;
}

std::string write_contents(const Contents& contents) {
  json::Object kubernetes;
  if (!contents.kubernetes_version.empty()) {
    kubernetes = {{"version", contents.kubernetes_version},
                  {"images", json::to_array(contents.kubernetes_images)}};
  }
  json::Object root{{"mediaType", kMediaType},     {"name", contents.name},
                    {"version", contents.version}, {"time", format_rfc3339(contents.time)},
                    {"size", contents.size},       {"platforms", json::to_array(contents.platforms)}};
  if (!kubernetes.empty()) root["kubernetes"] = std::move(kubernetes);
  root["head"] = write_all(contents.head, write_head);
  root["images"] = write_all(contents.images, write_image);
  root["packages"] = write_all(contents.package_sets, write_package_set);
  root["files"] = write_all(contents.files, write_file);
  json::Array blobs;
  for (const auto& [digest, blob] : contents.blobs) blobs.push_back(write_blob(blob));
  root["blobs"] = std::move(blobs);
  return json::serialize(root) + "\n";
}

Result<Contents> parse_contents(std::string_view text, const std::string& what) {
  TRY_ASSIGN(const json::Value value, json::parse(text, what, memory_limit(text)));
  TRY(check_printable(value, what));
  TRY_ASSIGN(const json::Reader root, json::Reader::of(value, what));
  TRY_ASSIGN(const std::string media_type, root.string("mediaType"));
  if (media_type != kMediaType) {
    return fail(ErrorCode::unsupported, "{}: expected mediaType {}, found {}; a newer Sealift may read it",
                what, kMediaType, media_type.substr(0, 100));
  }
  Contents contents;
  TRY_ASSIGN(contents.name, root.string("name"));
  TRY_ASSIGN(contents.version, root.string("version"));
  TRY_ASSIGN(const std::string time, root.string("time"));
  const auto parsed_time = parse_rfc3339(time);
  if (!parsed_time) return fail(ErrorCode::integrity, "{}: time: {}", what, parsed_time.error().message());
  contents.time = *parsed_time;
  TRY_ASSIGN(contents.size, root.unsigned_integer("size"));
  TRY_ASSIGN(contents.platforms, root.strings("platforms"));
  if (root.has("kubernetes")) {
    TRY_ASSIGN(const json::Reader kubernetes, root.object("kubernetes"));
    TRY_ASSIGN(contents.kubernetes_version, kubernetes.string("version"));
    if (contents.kubernetes_version.empty())
      return fail(ErrorCode::integrity, "{}.version: expected a version, found \"\"", kubernetes.path());
    TRY_ASSIGN(contents.kubernetes_images, kubernetes.strings("images"));
  }
  TRY(root.each("head", [&](const json::Reader& item) { return read_head(item, contents); }));
  TRY(root.each("images", [&](const json::Reader& item) { return read_image(item, contents); }));
  TRY(root.each("packages", [&](const json::Reader& item) { return read_package_set(item, contents); }));
  TRY(root.each("files", [&](const json::Reader& item) { return read_file_entry(item, contents); }));
  TRY(root.each("blobs", [&](const json::Reader& item) { return read_blob_entry(item, contents); }));
  TRY(check_contents(contents, what));
  return contents;
}

}  // namespace sealift::bundle
