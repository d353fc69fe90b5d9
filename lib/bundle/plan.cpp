#include "lib/bundle/plan.hpp"

#include <algorithm>
#include <set>

#include "lib/bundle/served_path.hpp"
#include "lib/oci/layout.hpp"

namespace sealift::bundle {

namespace {

std::string write_index(const Lock& lock) {
  std::vector<oci::NamedImage> named;
  for (const LockedImage& image : lock.images) {
    // Without a platform it is a signature, a chart or another artifact, which must not be named there.
    named.push_back({image.platforms.empty() ? "" : image.name, image.media_type, image.digest, image.size});
  }
  return oci::write_layout_index(named);
}

std::string source_of(const LockedBlob& blob) {
  switch (blob.origin.kind) {
    case OriginKind::registry_manifest:
    case OriginKind::registry_blob:
      return blob.origin.repository;
    case OriginKind::url:
      return blob.origin.url;
    case OriginKind::inlined:
      return blob.origin.url.empty() ? "inlined" : blob.origin.url;
  }
  return {};
}

/// The contents without offsets, and the bytes of every blob that need not be fetched.
struct Draft {
  Contents contents;
  std::map<Digest, std::string> held;
};

Status add_generated(std::vector<GeneratedFile> generated, Draft& draft) {
  for (GeneratedFile& file : generated) {
    const Digest digest = digest_of(file.content);
    const std::uint64_t size = file.content.size();
    draft.contents.files.push_back({file.path, digest, size, file.media_type, 0644, "", ""});
    draft.contents.blobs.try_emplace(digest, BlobEntry{digest, size, {}, file.media_type, {"generated", {}}});
    draft.held.try_emplace(digest, std::move(file.content));
  }
  return {};
}

/// What lies in the bundle of a locked blob; what only upstream has of it is in `stored`.
BlobEntry blob_entry(const LockedBlob& blob) {
  return {blob.bundled_digest(),
          blob.bundled_size(),
          {},
          blob.stored ? "application/zstd" : blob.media_type,
          {source_of(blob), blob.origin.evidence}};
}

FileEntry file_entry(const LockedFile& file, const LockedBlob& blob) {
  FileEntry entry{"files/" + file.path, file.digest, blob.size, blob.media_type, file.mode, file.role,
                  file.platform};
  if (blob.stored) entry.stored = blob.stored->digest;
  return entry;
}

Result<Draft> draft_contents(const Lock& lock, std::vector<GeneratedFile> generated) {
  Draft draft;
  Contents& contents = draft.contents;
  contents.name = lock.name;
  contents.version = lock.version;
  contents.time = lock.time;
  contents.platforms = lock.platforms;
  contents.kubernetes_version = lock.kubernetes_version;
  contents.kubernetes_images = lock.kubernetes_images;
  for (const auto& [digest, blob] : lock.blobs) {
    contents.blobs.emplace(blob.bundled_digest(), blob_entry(blob));
    if (blob.origin.kind == OriginKind::inlined) draft.held.emplace(digest, blob.origin.content);
  }
  for (const LockedImage& image : lock.images) {
    std::uint64_t size = 0;
    for (const Digest& digest : std::set<Digest>(image.blobs.begin(), image.blobs.end()))
      size += lock.blobs.at(digest).size;
    contents.images.push_back({image.name, image.digest, image.media_type, size, image.platforms});
  }
  for (const LockedFile& file : lock.files) {
    contents.files.push_back(file_entry(file, lock.blobs.at(file.digest)));
  }
  for (const LockedPackageSet& set : lock.package_sets) {
    PackageSetEntry entry{set.target, set.baseline, set.architectures, set.install, {}};
    for (const LockedPackage& package : set.packages) {
      const LockedBlob& blob = lock.blobs.at(package.digest);
      const std::string path = fmt::format("apt/{}/{}", set.target, package.filename);
      entry.packages.push_back(
          {package.name, package.version, package.architecture, path, package.digest, blob.size});
      contents.files.push_back({path, package.digest, blob.size, blob.media_type, 0644, "", ""});
    }
    contents.package_sets.push_back(std::move(entry));
  }
  TRY(add_generated(std::move(generated), draft));
  std::sort(contents.files.begin(), contents.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  std::sort(contents.images.begin(), contents.images.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(contents.files.begin(), contents.files.end(),
                                        [](const auto& a, const auto& b) { return a.path == b.path; });
  if (twice != contents.files.end()) {
    return fail(ErrorCode::invalid_argument,
                "two files of the bundle have the path {}: give one another `path:`", twice->path);
  }
  return draft;
}

/// Small blobs first: manifests and repository indexes are then near the head, which pays on slow media.
std::vector<Digest> blob_order(const Contents& contents) {
  std::vector<Digest> order;
  for (const auto& [digest, blob] : contents.blobs) order.push_back(digest);
  std::stable_sort(order.begin(), order.end(), [&](const Digest& a, const Digest& b) {
    return contents.blobs.at(a).size < contents.blobs.at(b).size;
  });
  return order;
}

/// Lays everything out around a bundle.json of `contents_bytes` and writes the offsets into `contents`.
Layout place(Contents& contents, const std::vector<Digest>& order, std::uint64_t index_bytes,
             std::uint64_t contents_bytes) {
  const auto mtime = static_cast<std::int64_t>(contents.time.time_since_epoch().count());
  std::vector<archive::TarEntry> entries{
      {kOciLayoutPath, std::string_view(kOciLayoutText).size(), 0644, mtime},
      {kIndexPath, index_bytes, 0644, mtime},
      {kContentsPath, contents_bytes, 0644, mtime},
      {kSignaturesPath, kSignatureSlotBytes, 0644, mtime}};
  for (std::size_t i = 2; i < contents.head.size(); ++i) {
    entries.push_back({contents.head[i].path, contents.head[i].size, contents.head[i].mode, mtime});
  }
  for (const Digest& digest : order)
    entries.push_back({blob_path(digest.hex()), contents.blobs.at(digest).size, 0644, mtime});
  Layout layout = lay_out(entries);
  contents.size = layout.size;
  contents.head[0].offset = layout.entries[0].data_offset;
  contents.head[1].offset = layout.entries[1].data_offset;
  std::size_t at = 4;
  for (std::size_t i = 2; i < contents.head.size(); ++i)
    contents.head[i].offset = layout.entries[at++].data_offset;
  for (const Digest& digest : order) contents.blobs.at(digest).offset = layout.entries[at++].data_offset;
  return layout;
}

/// Where each blob of the bundle comes from, by the digest it has there.
std::map<Digest, const LockedBlob*> sources_of(const Lock& lock) {
  std::map<Digest, const LockedBlob*> sources;
  for (const auto& [digest, blob] : lock.blobs) {
    // Should upstream have the compressed form as a file of its own, that is simply fetched.
    if (blob.stored) {
      sources.emplace(blob.stored->digest, &blob);
    } else {
      sources.insert_or_assign(digest, &blob);
    }
  }
  return sources;
}

/// Whatever a reader would refuse must never be sealed.
Status check_readable(const Contents& contents, const std::string& text) {
  for (const FileEntry& file : contents.files) {
    if (is_served_path(file.path)) continue;
    return fail(ErrorCode::invalid_argument, "the path \"{}\" must be {}: give another `path:`",
                file.path.substr(0, 120), kServedPathRule);
  }
  TRY(within(parse_contents(text, kContentsPath), "no bundle can be made of this lock"));
  return {};
}

HeadEntry head_entry(std::string path, const std::string& content, unsigned mode) {
  return {std::move(path), digest_of(content), content.size(), 0, mode};
}

}  // namespace

Result<Plan> plan_bundle(const Lock& lock, std::vector<GeneratedFile> generated,
                         std::vector<ProgramFile> programs) {
  TRY_ASSIGN(Draft draft, draft_contents(lock, std::move(generated)));
  Contents& contents = draft.contents;
  const std::string layout_text = kOciLayoutText;
  const std::string index_text = write_index(lock);
  contents.head.push_back(head_entry(kOciLayoutPath, layout_text, 0644));
  contents.head.push_back(head_entry(kIndexPath, index_text, 0644));
  for (const ProgramFile& program : programs) {
    contents.head.push_back(
        head_entry("sealift/sealift-linux-" + program.architecture, program.content, 0755));
  }

  // bundle.json holds offsets that depend on its own size: reserve whole blocks and grow until it fits. It
  // does, because larger offsets only add digits.
  const std::vector<Digest> order = blob_order(contents);
  std::uint64_t reserved = archive::kTarAlignment;
  Plan plan;
  for (;;) {
    plan.layout = place(contents, order, index_text.size(), reserved);
    plan.contents_text = write_contents(contents);
    if (plan.contents_text.size() <= reserved) break;
    reserved = (plan.contents_text.size() + archive::kTarAlignment - 1) / archive::kTarAlignment *
               archive::kTarAlignment;
  }
  plan.contents_text.resize(reserved, '\n');
  TRY(check_readable(contents, plan.contents_text));
  if (reserved > kMaxContentsBytes) {
    return fail(ErrorCode::unsupported, "the table of contents would have {} bytes, more than {}", reserved,
                kMaxContentsBytes);
  }

  plan.held.push_back({contents.head[0].offset, layout_text});
  plan.held.push_back({contents.head[1].offset, index_text});
  plan.held.push_back({plan.layout.entries[2].data_offset, plan.contents_text});
  plan.signatures_offset = plan.layout.entries[3].data_offset;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    plan.held.push_back({contents.head[i + 2].offset, std::move(programs[i].content)});
  }
  const auto sources = sources_of(lock);
  for (const Digest& digest : order) {
    const std::uint64_t offset = *contents.blobs.at(digest).offset;
    if (const auto held = draft.held.find(digest); held != draft.held.end()) {
      plan.held.push_back({offset, std::move(held->second)});
    } else {
      plan.wanted.push_back({*sources.at(digest), offset});
      plan.wanted_bytes += plan.wanted.back().blob.size;
    }
  }
  plan.contents = std::move(contents);
  return plan;
}

}  // namespace sealift::bundle
