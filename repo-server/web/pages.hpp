/// The web pages of the repository port: plain HTML without scripts. Everything shown is escaped here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo-server/repository/tree.hpp"
#include "repo-server/web/snippets.hpp"

namespace sealift::repo_server {

/// A row about one mounted bundle.
struct BundleRow {
  std::string name;
  std::string version;
  std::string time;
  std::string root;
  std::string verification;
  std::size_t images = 0;
  std::size_t files = 0;
};

std::string front_page(const SnippetContext& context, const std::vector<BundleRow>& bundles);
/// `path` without slashes at its ends; "" is the top.
std::string folder_page(std::string_view path, const std::vector<FolderItem>& items);
/// `references` are full image names with tags.
std::string images_page(const SnippetContext& context, const std::vector<std::string>& references);

}  // namespace sealift::repo_server
