#include "repo-server/mount/overlay.hpp"

#include <algorithm>

namespace sealift::repo_server {

bool MountedBundle::is_unchanged() const {
  const auto now = verified_->file().current_identity();
  if (now && *now == verified_->file().identity()) return true;
  if (!reported_.exchange(true)) {
    log_->error(
        "{}: the file was written to or cut while it is served; its content is refused (503) until "
        "it has been verified anew",
        path().string());
  }
  return false;
}

bool MountedBundle::is_untouched() const {
  const auto now = verified_->file().current_identity();
  return now && now->is_exactly(verified_->file().identity());
}

Status MountedBundle::check_unchanged() const {
  if (is_unchanged()) return {};
  return fail(ErrorCode::conflict,
              "the bundle {} was changed while it is served; it has to be verified anew first",
              path().filename().string());
}

Result<Overlay> Overlay::mount(Bundles bundles) {
  Overlay overlay;
  overlay.bundles_ = std::move(bundles);
  const auto require = [&](const MountedBundle& mounted, const Digest& digest,
                           std::string_view what) -> Status {
    if (overlay.find_blob(digest)) return {};
    return fail(ErrorCode::not_found,
                "{}: {} needs the blob {}, which is in none of the given bundles: give the bundles this one "
                "builds on, too",
                mounted.path().string(), what, digest.str());
  };
  for (const auto& mounted : overlay.bundles_) {
    for (const auto& image : mounted->contents().images) TRY(require(*mounted, image.digest, image.name));
    for (const auto& file : mounted->contents().files) {
      TRY(require(*mounted, file.blob(), file.path));
      overlay.files_.insert_or_assign(file.path, MountedFile{mounted, &file});
    }
  }
  return overlay;
}

std::optional<MountedBlob> Overlay::find_blob(const Digest& digest) const {
  std::optional<MountedBlob> unsound;
  for (auto mounted = bundles_.rbegin(); mounted != bundles_.rend(); ++mounted) {
    const bundle::BlobEntry* entry = (*mounted)->contents().find_blob(digest);
    if (entry == nullptr || !entry->offset) continue;
    const bool sound =
        bundles_.size() == 1 || ((*mounted)->is_unchanged() && !(*mounted)->verified().is_damaged(digest));
    if (sound) return MountedBlob{*mounted, entry};
    if (!unsound) unsound = MountedBlob{*mounted, entry};
  }
  return unsound;
}

std::function<void(Status)> Overlay::or_elsewhere(const MountedBlob& blob,
                                                  std::function<void(Status)> done) const {
  return [this, blob, done = std::move(done)](Status status) {
    if (!status && status.error().code() != ErrorCode::interrupted) {
      const auto now = find_blob(blob.entry->digest);
      if (now && now->bundle != blob.bundle) status = {};
    }
    done(std::move(status));
  };
}

const MountedFile* Overlay::find_file(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace sealift::repo_server
