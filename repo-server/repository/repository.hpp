/// The repository port: the tree of files, the web page, client configuration and the server's own state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "repo-server/http/message.hpp"
#include "repo-server/mount/content_loader.hpp"
#include "repo-server/registry/catalog.hpp"
#include "repo-server/repository/status.hpp"
#include "repo-server/web/snippets.hpp"

namespace sealift::repo_server {

struct RepositorySettings {
  std::string ca_pem;  ///< the site's CA for clients; empty without TLS
  bool has_tls = true;
  std::uint16_t registry_port = 5000;
  std::uint16_t repository_port = 12480;
  std::string fallback_host;  ///< for snippets when the client's Host header is unusable
};

class FileRepository final : public http::Handler {
 public:
  /// Everything but `settings` must outlive it.
  FileRepository(const Overlay& overlay, ContentLoader& loader, const Catalog& catalog,
                 const ServerStatus& status, RepositorySettings settings);

  http::Response handle(const http::Request& request) const override;

 private:
  http::Response file(const MountedFile& file, const http::Request& request) const;
  /// The file decompressed or, for who takes that, as it is stored.
  http::Response compressed_file(const MountedFile& file, const MountedBlob& blob,
                                 const http::Request& request) const;
  http::Response folder(std::string_view path, const http::Request& request) const;
  http::Response client_file(std::string_view name, const http::Request& request) const;
  http::Response front(const http::Request& request) const;
  http::Response images(const http::Request& request) const;
  SnippetContext context_for(const http::Request& request) const;

  const Overlay& overlay_;
  ContentLoader& loader_;
  const Catalog& catalog_;
  const ServerStatus& status_;
  const RepositorySettings settings_;
  SnippetContext snippet_defaults_;
  std::vector<std::string> upstream_hosts_;
};

}  // namespace sealift::repo_server
