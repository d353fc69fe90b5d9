#include "builder/fetch/mirror_map.hpp"

#include <algorithm>

#include "lib/base/ascii.hpp"
#include "lib/oci/reference.hpp"

namespace sealift::builder {

namespace {

constexpr const char* kDockerHub = "registry-1.docker.io";

tl::unexpected<Error> malformed(const bundle::MirrorRule& rule, std::string_view why) {
  return fail(ErrorCode::invalid_argument, "mirror rule \"{}: {}\": {}", net::redacted(rule.from),
              net::redacted(rule.to), why);
}

/// Splits "host[:port][/path]"; the host in lower case, as in oci::Reference.
std::pair<std::string, std::string> split_host(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  const std::size_t slash = std::min(text.find('/'), text.size());
  return {ascii_lower(text.substr(0, slash)), std::string(text.substr(std::min(slash + 1, text.size())))};
}

/// The rest of `text` after `key` and a slash; nullopt when `key` is not a whole-component prefix.
std::optional<std::string> rest_after(const std::string& text, const std::string& key) {
  if (text == key) return "";
  if (text.size() > key.size() && text.starts_with(key) && text[key.size()] == '/')
    return text.substr(key.size() + 1);
  return std::nullopt;
}

Result<std::pair<std::string, RegistryLocation>> read_registry_rule(const bundle::MirrorRule& rule) {
  const auto [host, path] = split_host(rule.from);
  if (!oci::is_registry_host(host) || (!path.empty() && !oci::is_repository_name(path))) {
    return malformed(rule,
                     "expected a registry host such as registry.k8s.io, or a URL prefix that ends in '/'");
  }
  RegistryLocation location;
  std::string_view target = rule.to;
  std::string scheme = "https://";
  for (const std::string_view known : {"https://", "http://"}) {
    if (!target.starts_with(known)) continue;
    scheme = known;
    target.remove_prefix(known.size());
    break;
  }
  auto [target_host, target_path] = split_host(target);
  if (!oci::is_registry_host(target_host) ||
      (!target_path.empty() && !oci::is_repository_name(target_path))) {
    return malformed(rule,
                     "expected a replacement such as registry.example.com/k8s or http://127.0.0.1:5000; the "
                     "login for a registry comes from --authfile");
  }
  location.base = scheme + target_host;
  location.host = std::move(target_host);
  location.repository = std::move(target_path);
  return std::pair(path.empty() ? host : host + "/" + path, std::move(location));
}

/// Longest first; of equal ones the later rule first.
template <typename T>
void put_in_order(std::vector<std::pair<std::string, T>>& rules) {
  std::reverse(rules.begin(), rules.end());
  std::stable_sort(rules.begin(), rules.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

}  // namespace

Result<std::pair<std::string, MirrorMap::Replacement>> MirrorMap::read_prefix_rule(
    const bundle::MirrorRule& rule) {
  const auto from = net::Url::parse(rule.from);
  if (!from) return malformed(rule, from.error().message());
  if (!rule.from.ends_with('/')) return malformed(rule, "a URL prefix must end in '/'");
  const auto to = net::Url::parse(rule.to);
  if (!to) return malformed(rule, to.error().message());
  Replacement replacement{to->reveal(), to->query()};
  if (!replacement.query.empty())
    replacement.prefix.resize(replacement.prefix.size() - replacement.query.size() - 1);
  if (!replacement.prefix.ends_with('/')) replacement.prefix += '/';
  return std::pair(from->reveal(), std::move(replacement));
}

Result<MirrorMap> MirrorMap::make(const std::vector<bundle::MirrorRule>& rules) {
  MirrorMap map;
  for (const bundle::MirrorRule& rule : rules) {
    if (rule.from.find("://") != std::string::npos) {
      TRY_ASSIGN(auto prefix, read_prefix_rule(rule));
      map.prefixes_.push_back(std::move(prefix));
    } else {
      TRY_ASSIGN(auto registry, read_registry_rule(rule));
      map.registries_.push_back(std::move(registry));
    }
  }
  put_in_order(map.prefixes_);
  put_in_order(map.registries_);
  return map;
}

RegistryLocation MirrorMap::locate(const std::string& registry, const std::string& repository) const {
  const std::string full = registry + "/" + repository;
  for (const auto& [from, to] : registries_) {
    const auto rest = rest_after(full, from);
    if (!rest) continue;
    RegistryLocation location = to;
    if (!rest->empty()) {
      location.repository += (location.repository.empty() ? "" : "/") + *rest;
    } else if (location.repository.empty()) {
      location.repository = repository;
    }
    return location;
  }
  const std::string host = registry == "docker.io" ? kDockerHub : registry;
  return RegistryLocation{"https://" + host, host, repository};
}

Result<net::Url> MirrorMap::map(std::string_view url) const {
  TRY_ASSIGN(const net::Url parsed, net::Url::parse(url));
  const std::string text = parsed.reveal();
  for (const auto& [from, to] : prefixes_) {
    if (!text.starts_with(from)) continue;
    std::string mapped = to.prefix + text.substr(from.size());
    if (!to.query.empty()) mapped += (parsed.query().empty() ? "?" : "&") + to.query;
    return net::Url::parse(mapped);
  }
  return parsed;
}

}  // namespace sealift::builder
