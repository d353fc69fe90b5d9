#include "repo-server/repository/tree.hpp"

#include <array>
#include <utility>

#include "lib/base/json.hpp"

namespace sealift::repo_server {

std::optional<std::vector<FolderItem>> list_folder(const Overlay& overlay, std::string_view path) {
  std::string prefix(path);
  if (!prefix.empty()) prefix += '/';
  const auto& files = overlay.files();
  std::vector<FolderItem> items;
  auto file = files.lower_bound(prefix);
  while (file != files.end() && file->first.starts_with(prefix) && items.size() < kMaxFolderItems) {
    const std::string_view rest = file->first.substr(prefix.size());
    const auto slash = rest.find('/');
    const auto time = file->second.bundle->contents().time;
    if (slash == std::string_view::npos) {
      items.push_back({std::string(rest), false, file->second.entry->size, time});
      ++file;
      continue;
    }
    items.push_back({std::string(rest.substr(0, slash)), true, 0, time});
    // On to what comes after everything in that folder: '0' follows '/'.
    file = files.lower_bound(prefix + std::string(rest.substr(0, slash)) + '0');
  }
  if (items.empty() && !path.empty()) return std::nullopt;
  return items;
}

std::string folder_json(std::string_view path, const std::vector<FolderItem>& items) {
  json::Array array;
  for (const FolderItem& item : items) {
    json::Object entry{{"name", item.name}, {"type", item.is_folder ? "folder" : "file"}};
    if (!item.is_folder) {
      entry["size"] = item.size;
      entry["time"] = format_rfc3339(item.time);
    }
    array.push_back(std::move(entry));
  }
  return json::serialize_pretty(json::Object{{"path", path}, {"items", std::move(array)}});
}

std::string_view content_type_of(std::string_view path, std::string_view media_type) {
  if (!media_type.empty() && media_type != "application/octet-stream") return media_type;
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kBySuffix = {{
      {".deb", "application/vnd.debian.binary-package"},
      {".rpm", "application/x-rpm"},
      {".gz", "application/gzip"},
      {".tgz", "application/gzip"},
      {".xz", "application/x-xz"},
      {".zst", "application/zstd"},
      {".tar", "application/x-tar"},
      {".json", "application/json"},
      {".yaml", "text/plain; charset=utf-8"},
      {".yml", "text/plain; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".asc", "text/plain; charset=utf-8"},
      {".md", "text/plain; charset=utf-8"},
      {".pem", "text/plain; charset=utf-8"},
      {"/Release", "text/plain; charset=utf-8"},
      {"/InRelease", "text/plain; charset=utf-8"},
      {"/Packages", "text/plain; charset=utf-8"},
  }};
  for (const auto& [suffix, type] : kBySuffix) {
    if (path.ends_with(suffix)) return type;
  }
  return "application/octet-stream";
}

}  // namespace sealift::repo_server
