/// The container registry: the pull and content discovery sides of the OCI distribution-spec 1.1, over
/// mounted bundles.
#pragma once

#include <string_view>

#include "repo-server/http/message.hpp"
#include "repo-server/mount/content_loader.hpp"
#include "repo-server/registry/catalog.hpp"
#include "repo-server/registry/names.hpp"
#include "repo-server/registry/referrers.hpp"

namespace sealift::repo_server {

class Registry final : public http::Handler {
 public:
  /// Both must outlive the registry.
  Registry(const Overlay& overlay, ContentLoader& loader)
      : overlay_(overlay), loader_(loader), catalog_(overlay), referrers_(overlay, loader) {}

  http::Response handle(const http::Request& request) const override;
  http::Response failure(const http::Request& request, const Error& error) const override;

  const Catalog& catalog() const { return catalog_; }

 private:
  http::Response manifest(const Repository& repository, std::string_view reference) const;
  http::Response blob(const http::Request& request, std::string_view reference) const;
  http::Response tags(const http::Request& request, std::string_view name,
                      const Repository& repository) const;
  http::Response list_referrers(const http::Request& request, std::string_view reference) const;
  http::Response list_catalog(const http::Request& request) const;

  const Overlay& overlay_;
  ContentLoader& loader_;
  const Catalog catalog_;
  const Referrers referrers_;
};

}  // namespace sealift::repo_server
