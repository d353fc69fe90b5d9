#include "repo-server/repository/repository.hpp"

#include <set>

#include <fmt/format.h>

#include "repo-server/http/content_coding.hpp"
#include "repo-server/http/target.hpp"
#include "repo-server/registry/names.hpp"
#include "repo-server/repository/tree.hpp"
#include "repo-server/web/pages.hpp"

namespace sealift::repo_server {
namespace {

http::Response plain(std::string text) {
  http::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.headers = "Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n";
  response.body = std::move(text);
  return response;
}

http::Response html(std::string text) {
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers =
      "Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n"
      "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n";
  response.body = std::move(text);
  return response;
}

http::Response json_text(std::string text) {
  http::Response response;
  response.content_type = "application/json";
  response.body = std::move(text);
  return response;
}

bool wants_json(const http::Request& request) {
  return request.accept.find("application/json") != std::string::npos;
}

http::Response not_found(std::string_view path) {
  return http::text_response(404, fmt::format("{} is in none of the bundles served here", path));
}

/// What is the same of every file; `form` is the digest of the bytes that are sent.
void describe(http::Response& response, const MountedFile& file, const Digest& form, std::string_view path) {
  response.accepts_ranges = true;
  response.content_type = content_type_of(path, file.entry->media_type);
  response.etag = fmt::format("\"{}\"", form.str());
  response.last_modified = file.bundle->contents().time;
  response.headers = "X-Content-Type-Options: nosniff\r\n";
}

/// The OpenPGP key apt is to trust: the binary form when both are there (old versions of apt refuse some
/// armour).
std::string find_key(const Overlay& overlay) {
  std::string found;
  for (const auto& [path, file] : overlay.files()) {
    if (!path.starts_with("keys/")) continue;
    if (path.ends_with(".gpg")) return std::string(path);
    if (path.ends_with(".asc") && found.empty()) found = path;
  }
  return found;
}

}  // namespace

FileRepository::FileRepository(const Overlay& overlay, ContentLoader& loader, const Catalog& catalog,
                               const ServerStatus& status, RepositorySettings settings)
    : overlay_(overlay), loader_(loader), catalog_(catalog), status_(status), settings_(std::move(settings)) {
  snippet_defaults_.secure = settings_.has_tls;
  snippet_defaults_.registry_port = settings_.registry_port;
  snippet_defaults_.repository_port = settings_.repository_port;
  snippet_defaults_.key_path = find_key(overlay);
  for (const FolderItem& target : list_folder(overlay, "apt").value_or(std::vector<FolderItem>{})) {
    snippet_defaults_.apt_targets.push_back(target.name);
  }
  std::set<std::string> hosts;
  for (const auto& [name, repository] : catalog.repositories()) {
    if (has_registry_host(name)) hosts.insert(name.substr(0, name.find('/')));
    if (snippet_defaults_.example_image.empty() && !repository.tags.empty()) {
      snippet_defaults_.example_image = name + ":" + repository.tags.begin()->first;
    }
  }
  upstream_hosts_.assign(hosts.begin(), hosts.end());
}

SnippetContext FileRepository::context_for(const http::Request& request) const {
  SnippetContext context = snippet_defaults_;
  context.host = safe_host(request.host, settings_.fallback_host);
  return context;
}

http::Response FileRepository::handle(const http::Request& request) const {
  if (request.method == http::Method::other) {
    http::Response response = http::text_response(405, "only GET and HEAD: what is served here is sealed");
    response.headers = "Allow: GET, HEAD\r\n";
    return response;
  }
  const std::string_view path = request.path;
  if (path == "/") return front(request);
  if (path == "/healthz") return status_.health();
  if (path == "/readyz") return status_.readiness();
  if (path == "/metrics") return status_.metrics();
  if (path == "/images/" || path == "/images") return images(request);
  if (path == "/client" || path == "/client/" || path.starts_with("/client/")) {
    return client_file(path.size() <= 8 ? std::string_view() : path.substr(8), request);
  }
  const std::string_view inside = path.substr(1);
  if (const MountedFile* found = overlay_.find_file(inside)) return file(*found, request);
  return folder(inside, request);
}

http::Response FileRepository::file(const MountedFile& file, const http::Request& request) const {
  const auto found = overlay_.find_blob(file.entry->blob());
  if (!found) return not_found(request.path);
  if (const Status unchanged = found->bundle->check_unchanged(); !unchanged)
    return failure(request, unchanged.error());
  if (file.entry->stored) return compressed_file(file, *found, request);
  http::Response response;
  if (request.method == http::Method::get && !found->bundle->verified().is_checked(file.entry->digest)) {
    response.prepare = [this, blob = *found](ContentLoader::Done done) {
      loader_.check(blob, overlay_.or_elsewhere(blob, std::move(done)));
    };
    return response;
  }
  response.file = found->body();
  describe(response, file, file.entry->digest, request.path);
  return response;
}

http::Response FileRepository::compressed_file(const MountedFile& file, const MountedBlob& blob,
                                               const http::Request& request) const {
  const bundle::FileEntry& entry = *file.entry;
  const bool as_stored = http::admits_zstd(request.accept_encoding);
  const bundle::VerifiedBundle& verified = blob.bundle->verified();
  const bool is_checked = as_stored ? verified.is_checked(*entry.stored) : verified.is_checked(entry);
  http::Response response;
  if (request.method == http::Method::get && !is_checked) {
    response.prepare = [this, as_stored, blob, &entry](ContentLoader::Done done) {
      done = overlay_.or_elsewhere(blob, std::move(done));
      if (as_stored) return loader_.check(blob, std::move(done));
      loader_.check_content(blob, entry, std::move(done));
    };
    return response;
  }
  if (as_stored) {
    response.file = blob.body();
    response.content_encoding = "zstd";
  } else {
    response.expanded = http::ZstdBody{blob.body(), entry.size, 0, entry.size};
  }
  describe(response, file, as_stored ? *entry.stored : entry.digest, request.path);
  response.headers += "Vary: Accept-Encoding\r\n";
  return response;
}

http::Response FileRepository::folder(std::string_view path, const http::Request& request) const {
  const bool has_slash = path.ends_with('/');
  if (has_slash) path.remove_suffix(1);
  if (path.ends_with('/') || path.find("//") != std::string_view::npos) return not_found(request.path);
  const auto items = list_folder(overlay_, path);
  if (!items || path.empty()) return not_found(request.path);
  if (wants_json(request)) return json_text(folder_json(path, *items));
  if (!has_slash) {
    http::Response response = http::text_response(301, "this is a folder");
    response.headers = fmt::format("Location: /{}/\r\n", http::encode_path(path));
    return response;
  }
  return html(folder_page(path, *items));
}

http::Response FileRepository::client_file(std::string_view name, const http::Request& request) const {
  const SnippetContext context = context_for(request);
  if (name.empty()) {
    std::vector<FolderItem> items;
    if (!context.apt_targets.empty()) items.push_back({"apt", true, 0, {}});
    if (!settings_.ca_pem.empty()) items.push_back({"ca.crt", false, settings_.ca_pem.size(), {}});
    for (const auto* item : {"hosts.toml", "registries.conf", "sealift.sources", "setup.txt"})
      items.push_back({item, false, 0, {}});
    return wants_json(request) ? json_text(folder_json("client", items)) : html(folder_page("client", items));
  }
  if (name == "ca.crt" && !settings_.ca_pem.empty()) {
    http::Response response = plain(settings_.ca_pem);
    response.content_type = "application/x-x509-ca-cert";
    return response;
  }
  if (name == "hosts.toml") return plain(containerd_hosts(context));
  if (name == "registries.conf") return plain(containers_registries(context, upstream_hosts_));
  if (name == "setup.txt") return plain(instructions(context));
  if (name == "apt/" || name == "apt") {
    std::vector<FolderItem> items;
    for (const std::string& target : context.apt_targets)
      items.push_back({target + ".sources", false, 0, {}});
    return html(folder_page("client/apt", items));
  }
  for (const std::string& target : context.apt_targets) {
    if (name == "apt/" + target + ".sources" ||
        (name == "sealift.sources" && context.apt_targets.size() == 1)) {
      return plain(apt_sources(context, target));
    }
  }
  if (name == "sealift.sources" && !context.apt_targets.empty()) {
    std::string choice = "several repositories are served here; take one of:\n";
    for (const std::string& target : context.apt_targets)
      choice += fmt::format("/client/apt/{}.sources\n", target);
    return http::text_response(404, choice);
  }
  return not_found(request.path);
}

http::Response FileRepository::front(const http::Request& request) const {
  return html(front_page(context_for(request), status_.bundle_rows()));
}

http::Response FileRepository::images(const http::Request& request) const {
  std::vector<std::string> references;
  for (const auto& [name, repository] : catalog_.repositories()) {
    for (const auto& [tag, digest] : repository.tags) references.push_back(name + ":" + tag);
    if (repository.tags.empty()) references.push_back(name);
  }
  return html(images_page(context_for(request), references));
}

}  // namespace sealift::repo_server
