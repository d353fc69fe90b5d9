#include "repo-server/registry/referrers.hpp"

#include <algorithm>

#include "lib/base/json.hpp"
#include "repo-server/registry/media_types.hpp"

namespace sealift::repo_server {
namespace {

std::string string_member(const json::Object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// The type by which a manifest is listed: its own artifactType, else its config's media type.
std::string artifact_type_of(const json::Object& manifest) {
  std::string type = string_member(manifest, "artifactType");
  if (!type.empty()) return type;
  const auto* config = manifest.if_contains("config");
  return config != nullptr && config->is_object() ? string_member(config->as_object(), "mediaType")
                                                  : std::string();
}

}  // namespace

void Referrers::prepare(ContentLoader::Done done) const {
  loader_.run([this] { return build(); }, std::move(done));
}

Status Referrers::build() const {
  const std::lock_guard lock(build_mutex_);
  if (is_ready()) return {};
  std::map<Digest, std::vector<Referrer>> found;
  for (const auto& mounted : overlay_.bundles()) {
    for (const auto& [digest, blob] : mounted->contents().blobs) {
      if (!blob.offset || blob.size > kMaxManifestBytes || !is_manifest_type(blob.media_type)) continue;
      const auto text = mounted->verified().file().read_blob(digest, kMaxManifestBytes);
      if (!text) continue;  // damaged: it cannot be pulled either
      const auto value = json::parse(*text, "manifest");
      if (!value || !value->is_object()) continue;
      const json::Object& manifest = value->as_object();
      const auto* subject = manifest.if_contains("subject");
      if (subject == nullptr || !subject->is_object()) continue;
      const auto subject_digest = Digest::parse(string_member(subject->as_object(), "digest"));
      if (!subject_digest) continue;
      const std::string type = artifact_type_of(manifest);
      json::Object descriptor{{"mediaType", blob.media_type}, {"digest", digest.str()}, {"size", blob.size}};
      if (!type.empty()) descriptor["artifactType"] = type;
      if (const auto* annotations = manifest.if_contains("annotations"))
        descriptor["annotations"] = *annotations;
      auto& referrers = found[*subject_digest];
      const bool known =
          std::ranges::any_of(referrers, [&d = digest](const Referrer& r) { return r.digest == d; });
      if (!known) referrers.push_back({digest, type, json::serialize(descriptor)});
    }
  }
  for (auto& [subject, referrers] : found) std::ranges::sort(referrers, {}, &Referrer::digest);
  by_subject_ = std::move(found);
  ready_.store(true, std::memory_order_release);
  return {};
}

std::string Referrers::list(const Digest& subject, std::string_view artifact_type) const {
  std::string out =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
  bool first = true;
  if (const auto found = by_subject_.find(subject); found != by_subject_.end()) {
    for (const Referrer& referrer : found->second) {
      if (!artifact_type.empty() && referrer.artifact_type != artifact_type) continue;
      if (!std::exchange(first, false)) out += ',';
      out += referrer.descriptor;
    }
  }
  return out + "]}";
}

}  // namespace sealift::repo_server
