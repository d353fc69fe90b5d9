// Archives: downloaded whole and verified first, then unpacked beside what is there, member by member.
#include <cerrno>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installer/host/steps/kinds.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxMembers = 20000;
constexpr std::uint64_t kMaxUnpacked = 16ULL << 30;

struct ArchiveCloser {
  void operator()(struct archive* archive) const { archive_read_free(archive); }
};
using Archive = std::unique_ptr<struct archive, ArchiveCloser>;

tl::unexpected<Error> archive_error(struct archive* archive, std::string_view doing) {
  const char* text = archive_error_string(archive);
  return fail(ErrorCode::integrity, "{}: {}", doing, text == nullptr ? "unknown error" : text);
}

Result<Archive> open_archive(const std::string& path) {
  Archive archive(archive_read_new());
  archive_read_support_format_tar(archive.get());
  archive_read_support_filter_gzip(archive.get());
  archive_read_support_filter_zstd(archive.get());
  archive_read_support_filter_xz(archive.get());
  if (archive_read_open_filename(archive.get(), path.c_str(), 256 << 10) != ARCHIVE_OK) {
    return archive_error(archive.get(), "the archive cannot be read");
  }
  return archive;
}

/// The member's path below the directory: stripped, wanted, confined. Empty: to be skipped.
Result<std::string> target_of(const UnpackArchive& wish, std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  while (name.ends_with('/')) name.pop_back();
  for (unsigned i = 0; i < wish.strip_components; ++i) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) return std::string();
    name.erase(0, slash + 1);
  }
  if (name.empty() || name == ".") return std::string();
  if (!is_confined_path(name))
    return fail(ErrorCode::integrity, "the archive has a member outside of its folder: {:?}", name);
  if (wish.members.empty()) return name;
  for (const std::string& prefix : wish.members) {
    if (name == prefix || name.starts_with(prefix.ends_with('/') ? prefix : prefix + "/")) return name;
  }
  return std::string();
}

/// A link placed by the archive itself must not lead a later member out of the directory.
Status no_links_on_the_way(const fs::path& base, const std::string& relative) {
  fs::path path = base;
  for (const fs::path& part : fs::path(relative).parent_path()) {
    path /= part;
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(path, ignored))) {
      return fail(ErrorCode::integrity, "the archive's member {:?} would go through the link {}", relative,
                  path.string());
    }
  }
  return {};
}

Result<Digest> write_member(struct archive* archive, const fs::path& target, unsigned mode,
                            std::uint64_t& left) {
  const fs::path temporary = fs::path(target).concat(".sealift-new");
  ::unlink(temporary.c_str());
  TRY_ASSIGN(const FileDescriptor file, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  Hasher hasher;
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  for (;;) {
    const int code = archive_read_data_block(archive, &block, &size, &offset);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK) return archive_error(archive, "reading the archive");
    if (size > left)
      return fail(ErrorCode::integrity, "the archive unpacks to more than {} bytes", kMaxUnpacked);
    left -= size;
    const Bytes data(static_cast<const std::byte*>(block), size);
    TRY(within(write_exactly_at(file, static_cast<std::uint64_t>(offset), data), target.string()));
    hasher.update(data);
  }
  if (::fchmod(file.get(), static_cast<mode_t>(mode & 0777U)) != 0 || ::fsync(file.get()) != 0) {
    return fail_errno(errno, "cannot write " + target.string());
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return fail_errno(errno, "cannot write " + target.string());
  return hasher.finish();
}

Status make_link(const fs::path& target, const std::string& relative, const char* destination) {
  const std::string to = destination == nullptr ? "" : destination;
  const fs::path resolved = (fs::path("/x") / fs::path(relative).parent_path() / to).lexically_normal();
  if (to.empty() || to.front() == '/' || !resolved.string().starts_with("/x/")) {
    return fail(ErrorCode::integrity, "the archive's link {:?} leads outside of its folder: {:?}", relative,
                to);
  }
  ::unlink(target.c_str());
  if (::symlink(to.c_str(), target.c_str()) != 0)
    return fail_errno(errno, "cannot make the link " + target.string());
  return {};
}

/// Unpacks everything wanted; path below the directory -> "sha256:…" or "-> target".
Result<json::Object> unpack(const StepContext& context, const UnpackArchive& wish, const std::string& file) {
  const fs::path base = context.at(wish.directory);
  TRY(create_directories(base, 0755));
  TRY_ASSIGN(const Archive archive, open_archive(file));
  json::Object manifest;
  std::uint64_t left = kMaxUnpacked;
  for (std::uint64_t count = 0;; ++count) {
    struct archive_entry* entry = nullptr;
    const int code = archive_read_next_header(archive.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK) return archive_error(archive.get(), "reading the archive");
    if (count >= kMaxMembers)
      return fail(ErrorCode::integrity, "the archive has more than {} members", kMaxMembers);
    const char* name = archive_entry_pathname(entry);
    TRY_ASSIGN(const std::string relative, target_of(wish, name == nullptr ? "" : name));
    if (relative.empty()) continue;
    TRY(no_links_on_the_way(base, relative));
    const fs::path target = base / relative;
    const auto type = archive_entry_filetype(entry);
    if (archive_entry_hardlink(entry) != nullptr ||
        (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)) {
      return fail(ErrorCode::unsupported,
                  "the archive's member {:?} is neither file, folder nor symbolic link", relative);
    }
    if (type == AE_IFDIR) {
      TRY(create_directories(target, 0755));
      continue;
    }
    TRY(create_directories(target.parent_path(), 0755));
    TRY(context.journal.keep_original(wish.directory + "/" + relative));
    if (type == AE_IFLNK) {
      TRY(make_link(target, relative, archive_entry_symlink(entry)));
      manifest[relative] = std::string("-> ") + archive_entry_symlink(entry);
    } else {
      TRY_ASSIGN(const Digest digest, write_member(archive.get(), target, archive_entry_perm(entry), left));
      manifest[relative] = digest.str();
    }
  }
  if (manifest.empty()) return fail(ErrorCode::integrity, "the archive has none of the wanted members");
  return manifest;
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const UnpackArchive& wish) {
  const auto record = context.journal.find(context.step_id);
  const json::Value* manifest = record ? record->detail.if_contains("members") : nullptr;
  if (!record || record->event != StepRecord::Event::done || record->fingerprint != fingerprint(wish).hex() ||
      manifest == nullptr || !manifest->is_object()) {
    return CheckOutcome{false, describe(wish), {}};
  }
  for (const auto& item : manifest->get_object()) {
    const fs::path path = fs::path(context.at(wish.directory)) / std::string(item.key());
    const std::string wanted(item.value().is_string() ? std::string_view(item.value().get_string()) : "");
    std::error_code error;
    std::string found;
    if (fs::is_symlink(fs::symlink_status(path, error))) {
      found = "-> " + fs::read_symlink(path, error).string();
    } else if (const auto digest = digest_of_file(path.string()); digest) {
      found = digest->str();
    }
    if (found != wanted)
      return CheckOutcome{false, fmt::format("{}/{} differs", wish.directory, std::string(item.key())), {}};
  }
  return CheckOutcome{
      true, fmt::format("{} files are unpacked in {}", manifest->get_object().size(), wish.directory), {}};
}

Result<ApplyOutcome> apply(const StepContext& context, const UnpackArchive& wish) {
  const fs::path directory = context.at("/var/lib/sealift/downloads");
  TRY(create_directories(directory, 0700));
  const std::string file = (directory / wish.from.digest.hex()).string();
  TRY(download(context, wish.from, wish.directory, file));
  auto manifest = unpack(context, wish, file);
  ::unlink(file.c_str());
  if (!manifest) return tl::unexpected(std::move(manifest).error());
  const std::size_t count = manifest->size();
  return ApplyOutcome{
      fmt::format("unpack {} files into {}", count, wish.directory), {{"members", std::move(*manifest)}}, {}};
}

Status undo(const StepContext& context, const UnpackArchive& wish) {
  const auto record = context.journal.find(context.step_id);
  const json::Value* manifest = record ? record->detail.if_contains("members") : nullptr;
  if (manifest == nullptr || !manifest->is_object()) return {};
  for (const auto& item : manifest->get_object()) {
    TRY(context.journal.restore_original(fmt::format("{}/{}", wish.directory, std::string(item.key()))));
  }
  return {};
}

}  // namespace sealift::installer
