/// The mirror as a whole: verified bundles on top of each other. Immutable; the later bundle wins where two
/// say different things.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/log.hpp"
#include "lib/bundle/verify.hpp"
#include "repo-server/http/message.hpp"

namespace sealift::repo_server {

/// One bundle as the server sees it. Thread-safe.
class MountedBundle final : public http::BodyFile {
 public:
  MountedBundle(std::shared_ptr<const bundle::VerifiedBundle> verified, Log& log)
      : verified_(std::move(verified)), log_(&log) {}

  const bundle::VerifiedBundle& verified() const { return *verified_; }
  const bundle::Contents& contents() const { return verified_->contents(); }
  const fs::path& path() const { return verified_->file().path(); }

  int descriptor() const override { return verified_->file().descriptor().get(); }
  /// Compares the open file's device, inode, size and time with those at the start; says once in the log when
  /// they differ.
  bool is_unchanged() const override;
  /// False also when nothing but mode, names, links or times of the file have changed: worth another look,
  /// since times can be set back.
  bool is_untouched() const;
  /// is_unchanged() as an error that says what to do (ErrorCode::conflict).
  Status check_unchanged() const;

 private:
  std::shared_ptr<const bundle::VerifiedBundle> verified_;
  Log* log_;
  mutable std::atomic<bool> reported_ = false;
};

/// A blob that is really in one of the files.
struct MountedBlob {
  std::shared_ptr<const MountedBundle> bundle;
  const bundle::BlobEntry* entry = nullptr;

  /// Its bytes as they lie there.
  http::FileBody body() const { return {bundle, *entry->offset, entry->size}; }
};

/// A path of the served tree.
struct MountedFile {
  std::shared_ptr<const MountedBundle> bundle;
  const bundle::FileEntry* entry = nullptr;
};

class Overlay {
 public:
  using Bundles = std::vector<std::shared_ptr<const MountedBundle>>;

  /// In the order of the command line. Fails when an image or file needs a blob none of the bundles holds,
  /// naming it: a delta without its base.
  static Result<Overlay> mount(Bundles bundles);

  const Bundles& bundles() const { return bundles_; }
  /// Of the last bundle that has it whole. One in which it was found damaged, or that was changed since it
  /// was mounted, is taken only when no other has it: its error is the answer then.
  std::optional<MountedBlob> find_blob(const Digest& digest) const;
  /// `done`, but no error of a blob that another bundle holds whole: find_blob() gives that one now.
  std::function<void(Status)> or_elsewhere(const MountedBlob& blob, std::function<void(Status)> done) const;
  /// `path` as in bundle.json: "files/notes.txt".
  const MountedFile* find_file(std::string_view path) const;
  const std::map<std::string_view, MountedFile>& files() const { return files_; }

 private:
  Bundles bundles_;
  std::map<std::string_view, MountedFile> files_;
};

}  // namespace sealift::repo_server
