#include "lib/base/json.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/words.hpp"

namespace sealift::bundle {
namespace {

/// Long texts as one array item a line, so that a change shows as that line.
json::Array lines_of(const std::string& text) {
  json::Array array;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    array.emplace_back(text.substr(at, end - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return array;
}

json::Object write_blob(const LockedBlob& blob) {
  json::Object object{{"digest", blob.digest.str()},
                      {"size", blob.size},
                      {"mediaType", blob.media_type},
                      {"from", kOriginKinds[static_cast<std::size_t>(blob.origin.kind)]}};
  if (!blob.origin.repository.empty()) object["repository"] = blob.origin.repository;
  if (!blob.origin.url.empty()) object["url"] = blob.origin.url;
  if (blob.origin.kind == OriginKind::inlined) object["content"] = to_base64(as_bytes(blob.origin.content));
  if (!blob.origin.evidence.empty()) object["evidence"] = json::to_array(blob.origin.evidence);
  if (blob.stored) {
    object["stored"] = json::Object{{"encoding", kZstdEncoding},
                                    {"digest", blob.stored->digest.str()},
                                    {"size", blob.stored->size},
                                    {"by", blob.stored->by}};
  }
  return object;
}

json::Object write_locked_image(const LockedImage& image) {
  json::Array blobs;
  for (const Digest& digest : image.blobs) blobs.emplace_back(digest.str());
  return {{"name", image.name},
          {"digest", image.digest.str()},
          {"size", image.size},
          {"mediaType", image.media_type},
          {"platforms", json::to_array(image.platforms)},
          {"blobs", std::move(blobs)}};
}

json::Object write_file_entry(const LockedFile& file) {
  json::Object object{
      {"path", file.path}, {"digest", file.digest.str()}, {"mode", fmt::format("{:04o}", file.mode)}};
  if (!file.role.empty()) object["role"] = file.role;
  if (!file.platform.empty()) object["platform"] = file.platform;
  return object;
}

json::Object write_set(const LockedPackageSet& set) {
  json::Array packages;
  for (const LockedPackage& package : set.packages) {
    packages.push_back(json::Object{{"name", package.name},
                                    {"version", package.version},
                                    {"architecture", package.architecture},
                                    {"filename", package.filename},
                                    {"digest", package.digest.str()},
                                    {"control", lines_of(package.control)}});
  }
  return {{"target", set.target},
          {"baseline", set.baseline},
          {"architectures", json::to_array(set.architectures)},
          {"install", json::to_array(set.install)},
          {"packages", std::move(packages)}};
}

}  // namespace

std::string write_lock(const Lock& lock) {
  json::Object root{{"apiVersion", "sealift/v1"},
                    {"kind", "BundleLock"},
                    {"name", lock.name},
                    {"version", lock.version},
                    {"time", format_rfc3339(lock.time)},
                    {"platforms", json::to_array(lock.platforms)}};
  if (!lock.spec_digest.empty()) root["spec"] = lock.spec_digest;
  if (!lock.kubernetes_version.empty()) {
    root["kubernetes"] = json::Object{{"version", lock.kubernetes_version},
                                      {"images", json::to_array(lock.kubernetes_images)}};
  }
  root["images"] = write_all(lock.images, write_locked_image);
  root["files"] = write_all(lock.files, write_file_entry);
  root["packages"] = write_all(lock.package_sets, write_set);
  json::Array blobs;
  for (const auto& [digest, blob] : lock.blobs) blobs.push_back(write_blob(blob));
  root["blobs"] = std::move(blobs);
  return json::serialize_pretty(root);
}

}  // namespace sealift::bundle
