#include "repo-server/registry/catalog.hpp"

#include "repo-server/registry/names.hpp"

namespace sealift::repo_server {
namespace {

Catalog::Match match_of(const std::vector<const Repository*>& found) {
  if (found.size() == 1) return {found.front(), {}};
  Catalog::Match match;
  for (const Repository* repository : found) match.candidates.push_back(repository->name);
  return match;
}

}  // namespace

Catalog::Catalog(const Overlay& overlay) {
  for (const auto& mounted : overlay.bundles()) {
    for (const bundle::ImageEntry& image : mounted->contents().images) {
      const ImageName name = split_image_name(image.name);
      Repository& repository = repositories_[name.repository];
      repository.name = name.repository;
      if (!name.tag.empty()) repository.tags.insert_or_assign(name.tag, image.digest);
    }
  }
  for (const auto& [full, repository] : repositories_) {
    std::string_view path = full;
    if (has_registry_host(path)) path.remove_prefix(path.find('/') + 1);
    by_path_[std::string(path)].push_back(&repository);
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
      path.remove_prefix(slash + 1);
      by_suffix_[std::string(path)].push_back(&repository);
    }
  }
}

const Repository* Catalog::find_full(const std::string& name) const {
  const auto found = repositories_.find(name);
  return found == repositories_.end() ? nullptr : &found->second;
}

Catalog::Match Catalog::find(std::string_view name, std::string_view upstream) const {
  if (!upstream.empty()) {
    if (const Repository* repository = find_full(join_upstream(upstream, name))) return {repository, {}};
  }
  if (const Repository* repository = find_full(normalise_full_name(name))) return {repository, {}};
  if (!upstream.empty()) return {};
  const std::string path(name);
  if (const auto found = by_path_.find(path); found != by_path_.end()) return match_of(found->second);
  if (const auto found = by_suffix_.find(path); found != by_suffix_.end()) return match_of(found->second);
  return {};
}

}  // namespace sealift::repo_server
