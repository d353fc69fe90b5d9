#include "tests/support/bundles.hpp"

#include "lib/archive/zstd.hpp"
#include "lib/bundle/signatures.hpp"
#include "lib/bundle/writer.hpp"

namespace sealift::test {

namespace {
constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kLayerType = "application/vnd.oci.image.layer.v1.tar";
}  // namespace

BundleRecipe::BundleRecipe() {
  lock_.name = "test";
  lock_.version = "1";
  lock_.time = *parse_rfc3339("2026-11-20T12:00:00Z");
  lock_.platforms = {"linux/amd64"};
}

Digest BundleRecipe::add(std::string content, const std::string& media_type) {
  const Digest digest = digest_of(content);
  bundle::LockedBlob blob{digest, content.size(), media_type, {}};
  blob.origin.url = "https://upstream.example/" + digest.hex();
  lock_.blobs.try_emplace(digest, std::move(blob));
  content_.try_emplace(digest, std::move(content));
  return digest;
}

BundleRecipe& BundleRecipe::file(const std::string& path, std::string content, const std::string& role,
                                 const std::string& platform) {
  const Digest digest = add(std::move(content), "application/octet-stream");
  lock_.files.push_back({path, 0644, role, platform, digest});
  return *this;
}

BundleRecipe& BundleRecipe::compressed(const std::string& path, std::string content, const std::string& role,
                                       const std::string& platform) {
  std::string frame = zstd_frame(content);
  const Digest stored = digest_of(frame);
  const std::uint64_t stored_size = frame.size();
  content_.try_emplace(stored, std::move(frame));
  const Digest digest = add(std::move(content), "application/octet-stream");
  lock_.blobs.at(digest).stored = bundle::StoredForm{stored, stored_size, archive::zstd_encoder()};
  lock_.files.push_back({path, 0644, role, platform, digest});
  return *this;
}

BundleRecipe& BundleRecipe::replace_stored(const Digest& file, std::string frame) {
  bundle::StoredForm& stored = *lock_.blobs.at(file).stored;
  stored.digest = digest_of(frame);
  stored.size = frame.size();
  content_.insert_or_assign(stored.digest, std::move(frame));
  return *this;
}

BundleRecipe& BundleRecipe::image_blobs(const std::string& name, const std::string& root_media_type,
                                        const std::vector<std::pair<std::string, std::string>>& blobs) {
  std::vector<Digest> digests;
  for (const auto& [media_type, content] : blobs) digests.push_back(add(content, media_type));
  const std::uint64_t size = lock_.blobs.at(digests.front()).size;
  lock_.images.push_back({name, digests.front(), size, root_media_type, {"linux/amd64"}, digests});
  return *this;
}

BundleRecipe& BundleRecipe::image(const std::string& name, const std::vector<std::string>& layers) {
  std::string layer_list;
  std::string diff_ids;
  std::vector<std::pair<std::string, std::string>> blobs(2);
  for (const std::string& layer : layers) {
    const std::string digest = digest_of(layer).str();
    const char* comma = layer_list.empty() ? "" : ",";
    layer_list += fmt::format("{}{{\"mediaType\":\"{}\",\"digest\":\"{}\",\"size\":{}}}", comma, kLayerType,
                              digest, layer.size());
    diff_ids += fmt::format("{}\"{}\"", comma, digest);
    blobs.emplace_back(kLayerType, layer);
  }
  const std::string config = fmt::format(
      "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{}},\"rootfs\":{{\"type\":\"layers\",\"diff_"
      "ids\":[{}]}}}}",
      diff_ids);
  const std::string manifest = fmt::format(
      "{{\"schemaVersion\":2,\"mediaType\":\"{}\",\"config\":{{\"mediaType\":\"{}\",\"digest\":\"{}\","
      "\"size\":{}}},\"layers\":[{}]}}",
      kManifestType, kConfigType, digest_of(config).str(), config.size(), layer_list);
  blobs[0] = {kManifestType, manifest};
  blobs[1] = {kConfigType, config};
  return image_blobs(name, kManifestType, blobs);
}

BundleRecipe& BundleRecipe::generated(const std::string& path, std::string content,
                                      const std::string& media_type) {
  generated_.push_back({path, media_type, std::move(content)});
  return *this;
}

BundleRecipe& BundleRecipe::program(std::string content) {
  programs_.push_back({"amd64", std::move(content)});
  return *this;
}

Result<bundle::Plan> BundleRecipe::plan() const { return bundle::plan_bundle(lock_, generated_, programs_); }

Status BundleRecipe::write(const fs::path& path, const std::vector<const PrivateKey*>& signers) const {
  TRY_ASSIGN(const bundle::Plan planned, plan());
  TRY_ASSIGN(auto writer, bundle::BundleWriter::open(path, planned));
  for (const bundle::WantedBlob& wanted : planned.wanted) {
    TRY_ASSIGN(auto sink, writer->begin(wanted));
    TRY(sink->write(as_bytes(content_.at(wanted.blob.bundled_digest())).subspan(sink->position())));
    TRY(sink->commit());
  }
  std::vector<bundle::SignatureLine> lines;
  for (const PrivateKey* key : signers) TRY(bundle::add_signature(lines, *key, planned.contents_text));
  TRY_ASSIGN(const std::string slot, bundle::write_signatures(lines));
  return writer->seal(slot);
}

std::string zstd_frame(const std::string& content) {
  MemorySink frame(1ULL << 30);
  archive::ZstdCompressSink sink(frame, content.size());
  if (!sink.write(as_bytes(content)) || !sink.finish()) return {};
  return frame.take();
}

std::string compressible_text(std::size_t size, unsigned seed) {
  std::string text;
  while (text.size() < size) {
    seed = seed * 1664525U + 1013904223U;
    text += fmt::format("{:08x} carried across the gap\n", seed);
  }
  text.resize(size);
  return text;
}

BundleRecipe small_bundle() {
  BundleRecipe recipe;
  recipe.image("registry.k8s.io/pause:3.10", {std::string(10240, '\0')});
  recipe.image("docker.io/library/web:1", {std::string(10240, '\0'), std::string(20480, '\0')});
  recipe.file("bin/linux/amd64/kubeadm", std::string(300000, 'k'), "kubeadm", "linux/amd64");
  recipe.file("notes.txt", "carried across\n");
  recipe.compressed("bin/linux/amd64/kubelet", compressible_text(200000, 1), "kubelet", "linux/amd64");
  recipe.generated("keys/repository.asc", "not a real key\n");
  recipe.program("#!/bin/true\n" + std::string(100000, 'p'));
  return recipe;
}

}  // namespace sealift::test
