/// The served tree as folders: what lies directly in one, and how that is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo-server/mount/overlay.hpp"

namespace sealift::repo_server {

struct FolderItem {
  std::string name;  ///< without '/'
  bool is_folder = false;
  std::uint64_t size = 0;  ///< of a file
  Timestamp time{};        ///< of the bundle it is in
};

/// At most kMaxFolderItems, the rest is left out.
inline constexpr std::size_t kMaxFolderItems = 20'000;

/// The items of the folder `path` ("" or "apt/debian-12", no slash at the end) in order of name; nullopt when
/// there is no such folder.
std::optional<std::vector<FolderItem>> list_folder(const Overlay& overlay, std::string_view path);

/// {"path":…,"items":[{"name","type":"file|folder","size","time"}]}
std::string folder_json(std::string_view path, const std::vector<FolderItem>& items);

/// From the media type in the bundle or else the name: what browsers and apt understand.
std::string_view content_type_of(std::string_view path, std::string_view media_type);

}  // namespace sealift::repo_server
