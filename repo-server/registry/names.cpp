#include "repo-server/registry/names.hpp"

#include <algorithm>

namespace sealift::repo_server {
namespace {

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

ImageName split_image_name(std::string_view name) {
  name = name.substr(0, name.find('@'));
  const auto colon = name.rfind(':');
  const auto slash = name.rfind('/');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash))
    return {std::string(name), {}};
  return {std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
}

bool is_repository_name(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  bool first = true;
  while (true) {
    const std::string_view component = name.substr(0, name.find('/'));
    if (component.empty() || !is_lower_alphanumeric(component.front()) ||
        !is_lower_alphanumeric(component.back()))
      return false;
    for (const char c : component) {
      if (!is_lower_alphanumeric(c) && c != '.' && c != '_' && c != '-' && !(first && c == ':')) return false;
    }
    if (component.size() == name.size()) return true;
    name.remove_prefix(component.size() + 1);
    first = false;
  }
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128 || tag.front() == '.' || tag.front() == '-') return false;
  return std::ranges::all_of(tag, [](char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  });
}

bool has_registry_host(std::string_view repository) {
  const auto slash = repository.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view host = repository.substr(0, slash);
  return host == "localhost" || host.find_first_of(".:") != std::string_view::npos;
}

std::string join_upstream(std::string_view host, std::string_view repository) {
  const bool is_docker = host == "docker.io" || host == "registry-1.docker.io" || host == "index.docker.io" ||
                         host == "registry.hub.docker.com";
  std::string full(is_docker ? "docker.io" : host);
  full += '/';
  if (is_docker && repository.find('/') == std::string_view::npos) full += "library/";
  return full.append(repository);
}

std::string normalise_full_name(std::string_view repository) {
  if (!has_registry_host(repository)) return std::string(repository);
  const auto slash = repository.find('/');
  return join_upstream(repository.substr(0, slash), repository.substr(slash + 1));
}

RegistryRequest parse_registry_path(std::string_view path) {
  if (path == "/v2" || path == "/v2/") return {RegistryRequestKind::base, {}, {}};
  if (!path.starts_with("/v2/")) return {};
  path.remove_prefix(4);
  if (path == "_catalog") return {RegistryRequestKind::catalog, {}, {}};
  if (path.ends_with("/tags/list")) return {RegistryRequestKind::tags, path.substr(0, path.size() - 10), {}};
  const auto last = path.rfind('/');
  if (last == std::string_view::npos || last == 0) return {};
  const auto before = path.rfind('/', last - 1);
  if (before == std::string_view::npos) return {};
  const std::string_view kind = path.substr(before + 1, last - before - 1);
  RegistryRequest request{RegistryRequestKind::other, path.substr(0, before), path.substr(last + 1)};
  if (kind == "manifests") request.kind = RegistryRequestKind::manifest;
  if (kind == "blobs") request.kind = RegistryRequestKind::blob;
  if (kind == "referrers") request.kind = RegistryRequestKind::referrers;
  return request;
}

}  // namespace sealift::repo_server
