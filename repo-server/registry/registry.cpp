#include "repo-server/registry/registry.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/base/json.hpp"
#include "repo-server/http/target.hpp"
#include "repo-server/registry/errors.hpp"
#include "repo-server/registry/media_types.hpp"

namespace sealift::repo_server {
namespace {

constexpr const char* kVersionHeader = "Docker-Distribution-Api-Version: registry/2.0\r\n";
/// A page of tags or repositories without n=.
constexpr std::size_t kMaxPage = 10'000;

/// ns= names the registry the image was asked from; our own address says nothing.
std::string upstream_of(const http::Request& request) {
  std::string ns = request.query_value("ns").value_or("");
  return ns == request.host ? std::string() : ns;
}

http::Response unknown_name(std::string_view name, const Catalog::Match& match) {
  if (match.candidates.empty()) {
    return oci_error(
        OciError::name_unknown,
        fmt::format("no bundle served here holds the repository {}; /v2/_catalog lists what there is", name));
  }
  return oci_error(OciError::name_unknown, fmt::format("{} is ambiguous here, use one of the full names: {}",
                                                       name, fmt::join(match.candidates, ", ")));
}

/// A digest we could have: malformed ones and other algorithms get the right error.
Result<Digest> parse_reference_digest(std::string_view reference, OciError unknown, http::Response& error) {
  auto digest = Digest::parse(reference);
  if (!digest) {
    error = oci_error(OciError::digest_invalid, fmt::format("'{}' is not a well-formed digest", reference));
  } else if (digest->algorithm() != DigestAlgorithm::sha256) {
    error = oci_error(unknown, "content is known here by its sha256 digest only");
    return fail(ErrorCode::not_found, "other algorithm");
  }
  return digest;
}

struct Page {
  std::vector<std::string> items;
  std::string link;  ///< header line of the next page, or empty
};

/// n= and last= over sorted keys. nullopt when n is not a number.
template <typename Map>
std::optional<Page> page_of(const Map& sorted, const http::Request& request) {
  std::size_t limit = kMaxPage;
  if (const auto n = request.query_value("n")) {
    const auto [end, error] = std::from_chars(n->data(), n->data() + n->size(), limit);
    if (error != std::errc() || end != n->data() + n->size()) return std::nullopt;
    limit = std::min(limit, kMaxPage);
  }
  Page page;
  const auto last = request.query_value("last");
  auto item = last ? sorted.upper_bound(*last) : sorted.begin();
  for (; item != sorted.end() && page.items.size() < limit; ++item) page.items.push_back(item->first);
  if (item != sorted.end() && limit > 0) {
    const auto ns = request.query_value("ns");
    page.link = fmt::format("Link: <{}?n={}&last={}{}>; rel=\"next\"\r\n", http::encode_path(request.path),
                            limit, http::encode_query_value(page.items.back()),
                            ns ? "&ns=" + http::encode_query_value(*ns) : "");
  }
  return page;
}

http::Response json_response(const json::Value& value, std::string headers) {
  http::Response response;
  response.content_type = "application/json";
  response.headers = std::move(headers);
  response.body = json::serialize(value);
  return response;
}

}  // namespace

http::Response Registry::handle(const http::Request& request) const {
  if (request.method == http::Method::other) {
    return oci_error(OciError::unsupported,
                     fmt::format("{} is not possible: this registry serves sealed bundles and is read-only",
                                 request.method_name));
  }
  const RegistryRequest asked = parse_registry_path(request.path);
  switch (asked.kind) {
    case RegistryRequestKind::base:
      return json_response(json::Object{}, kVersionHeader);
    case RegistryRequestKind::catalog:
      return list_catalog(request);
    case RegistryRequestKind::other:
      if (request.path == "/")
        return http::text_response(
            200,
            "This is the Sealift registry (OCI distribution 1.1). The web page is on the repository port.");
      return oci_error(OciError::name_unknown, "no such resource in a registry");
    default:
      break;
  }
  if (!is_repository_name(asked.name))
    return oci_error(OciError::name_invalid, fmt::format("'{}' is not a repository name", asked.name));
  const Catalog::Match match = catalog_.find(asked.name, upstream_of(request));
  if (match.repository == nullptr) return unknown_name(asked.name, match);
  switch (asked.kind) {
    case RegistryRequestKind::manifest:
      return manifest(*match.repository, asked.reference);
    case RegistryRequestKind::blob:
      return blob(request, asked.reference);
    case RegistryRequestKind::tags:
      return tags(request, asked.name, *match.repository);
    default:
      return list_referrers(request, asked.reference);
  }
}

http::Response Registry::failure(const http::Request&, const Error& error) const {
  return oci_error(to_oci_error(error), error.message());
}

http::Response Registry::manifest(const Repository& repository, std::string_view reference) const {
  std::optional<Digest> digest;
  if (const auto tag = repository.tags.find(reference); tag != repository.tags.end()) {
    digest = tag->second;
  } else if (reference.find(':') != std::string_view::npos) {
    http::Response error;
    auto parsed = parse_reference_digest(reference, OciError::manifest_unknown, error);
    if (!parsed) return error;
    digest = std::move(*parsed);
  } else if (!is_tag(reference)) {
    return oci_error(OciError::manifest_unknown,
                     fmt::format("'{}' is neither a tag nor a digest", reference));
  } else {
    return oci_error(OciError::manifest_unknown,
                     fmt::format("{} has no tag {} here", repository.name, reference));
  }
  const auto found = overlay_.find_blob(*digest);
  if (!found || !is_manifest_type(found->entry->media_type) || found->entry->size > kMaxManifestBytes) {
    return oci_error(OciError::manifest_unknown,
                     fmt::format("{} has no manifest {} here", repository.name, digest->str()));
  }
  http::Response response;
  response.shared_body = loader_.cached(*digest);
  if (!response.shared_body) {
    response.prepare = [this, blob = *found](ContentLoader::Done done) {
      loader_.load(blob, overlay_.or_elsewhere(blob, std::move(done)));
    };
    return response;
  }
  const std::string text = digest->str();
  response.content_type = found->entry->media_type;
  response.etag.append(1, '"').append(text).append(1, '"');
  response.headers.append(kVersionHeader).append("Docker-Content-Digest: ").append(text).append("\r\n");
  return response;
}

http::Response Registry::blob(const http::Request& request, std::string_view reference) const {
  http::Response response;
  const auto digest = parse_reference_digest(reference, OciError::blob_unknown, response);
  if (!digest) return response;
  const auto found = overlay_.find_blob(*digest);
  if (!found)
    return oci_error(OciError::blob_unknown,
                     fmt::format("no bundle served here holds the blob {}", digest->str()));
  if (const Status unchanged = found->bundle->check_unchanged(); !unchanged)
    return failure(request, unchanged.error());
  if (request.method == http::Method::get && !found->bundle->verified().is_checked(*digest)) {
    response.prepare = [this, blob = *found](ContentLoader::Done done) {
      loader_.check(blob, overlay_.or_elsewhere(blob, std::move(done)));
    };
    return response;
  }
  response.file = found->body();
  response.accepts_ranges = true;
  response.content_type = "application/octet-stream";
  response.etag = fmt::format("\"{}\"", digest->str());
  response.headers = fmt::format("{}Docker-Content-Digest: {}\r\n", kVersionHeader, digest->str());
  return response;
}

http::Response Registry::tags(const http::Request& request, std::string_view name,
                              const Repository& repository) const {
  const auto page = page_of(repository.tags, request);
  if (!page) return oci_error(OciError::invalid_request, "n must be a number");
  return json_response(json::Object{{"name", name}, {"tags", json::to_array(page->items)}},
                       kVersionHeader + page->link);
}

http::Response Registry::list_catalog(const http::Request& request) const {
  const auto page = page_of(catalog_.repositories(), request);
  if (!page) return oci_error(OciError::invalid_request, "n must be a number");
  return json_response(json::Object{{"repositories", json::to_array(page->items)}},
                       kVersionHeader + page->link);
}

http::Response Registry::list_referrers(const http::Request& request, std::string_view reference) const {
  http::Response response;
  const auto digest = Digest::parse(reference);
  if (!digest)
    return oci_error(OciError::digest_invalid, fmt::format("'{}' is not a well-formed digest", reference));
  if (!referrers_.is_ready()) {
    response.prepare = [this](ContentLoader::Done done) { referrers_.prepare(std::move(done)); };
    return response;
  }
  const std::string type = request.query_value("artifactType").value_or("");
  response.content_type = kOciIndexType;
  response.headers = kVersionHeader;
  if (!type.empty()) response.headers += "OCI-Filters-Applied: artifactType\r\n";
  response.body = referrers_.list(*digest, type);
  return response;
}

}  // namespace sealift::repo_server
