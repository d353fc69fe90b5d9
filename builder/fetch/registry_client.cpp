#include "builder/fetch/registry_client.hpp"

#include <algorithm>
#include <array>

#include "builder/fetch/upstream_error.hpp"

namespace sealift::builder {

namespace {

constexpr std::size_t kMaxReferrerPages = 50;

std::string accepted_types() {
  return fmt::format("{}, {}, {}, {}, {}", oci::kOciIndex, oci::kDockerManifestList, oci::kOciManifest,
                     oci::kDockerManifest, oci::kOciArtifactManifest);
}

/// The media type of an answer; empty when it says nothing about the content.
std::string content_type(const net::Response& response) {
  std::string type = response.header("content-type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.pop_back();
  if (type == "application/json" || type == "application/octet-stream" || type.starts_with("text/"))
    return "";
  return type;
}

Status check_digest(std::string_view text, const Digest& expected, std::string_view what,
                    std::string_view who) {
  const Digest found = digest_of(as_bytes(text), expected.algorithm());
  if (found == expected) return {};
  return fail(ErrorCode::integrity,
              "{}: {} digest {}, but the bytes that came have {}; the registry or a mirror is wrong", what,
              who, expected.str(), found.str());
}

Result<FetchedManifest> check_manifest(const oci::Reference& reference, const net::Response& response,
                                       std::string text) {
  if (reference.digest()) TRY(check_digest(text, *reference.digest(), reference.str(), "expected"));
  if (const auto header = response.header("docker-content-digest")) {
    if (const auto announced = Digest::parse(*header))
      TRY(check_digest(text, *announced, reference.str(), "the registry announced"));
  }
  std::string media_type = content_type(response);
  TRY_ASSIGN(const oci::Document document, oci::parse_document(text, media_type, reference.str()));
  media_type = std::visit([](const auto& parsed) { return parsed.media_type; }, document);
  const Digest digest = digest_of(text);
  const std::uint64_t size = text.size();
  return FetchedManifest{oci::Descriptor{std::move(media_type), digest, size}, std::move(text)};
}

/// Whether an answer says that this registry has no referrers API: a page of another type, or a refusal of
/// the request itself. A proxy in front may forbid what it does not know, hence 403.
bool lacks_referrers(const net::Response& response) {
  constexpr std::array<int, 8> kRefusals = {400, 403, 404, 405, 406, 410, 415, 501};
  return response.succeeded() ||
         std::find(kRefusals.begin(), kRefusals.end(), response.status) != kRefusals.end();
}

Result<std::vector<oci::Descriptor>> listed_in(const std::string& text, const std::string& what) {
  TRY_ASSIGN(oci::Document document, oci::parse_document(text, "", what));
  auto* index = std::get_if<oci::Index>(&document);
  if (index == nullptr) return std::vector<oci::Descriptor>();
  return std::move(index->manifests);
}

/// The page a `Link: <...>; rel="next"` header names; it must be of the same origin as `first`.
Result<std::optional<net::Url>> next_page(const net::Response& response, const net::Url& first,
                                          const std::string& what) {
  const auto target = next_link(response.header("link").value_or(""));
  if (!target) return std::optional<net::Url>();
  TRY_ASSIGN(net::Url next, within(response.url.resolve(*target), what));
  if (next.same_origin(first)) return std::optional<net::Url>(std::move(next));
  return fail(ErrorCode::untrusted, "{}: the next page would be at {}, expected {}", what, next.origin(),
              first.origin());
}

}  // namespace

std::optional<std::string> next_link(std::string_view header) {
  while (true) {
    const std::size_t open = header.find('<');
    const std::size_t close = header.find('>', std::min(open, header.size()));
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view target = header.substr(open + 1, close - open - 1);
    header.remove_prefix(close + 1);
    std::string parameters(header.substr(0, header.find('<')));
    std::erase_if(parameters, [](char c) { return c == ' ' || c == '\t' || c == '"' || c == ','; });
    parameters += ';';
    if (parameters.find(";rel=next;") != std::string::npos) return std::string(target);
  }
}

Result<net::Response> RegistryClient::ask(const RegistryLocation& location, net::Request request, Sink* to) {
  const auto send = [&] { return to != nullptr ? transport_->get(request, *to) : transport_->head(request); };
  request.authorization = auth_.current(location);
  TRY_ASSIGN(net::Response response, send());
  if (response.status != 401) return response;
  // Also the way a token ends that expired or was revoked early.
  TRY_ASSIGN(request.authorization, auth_.answer(location, response));
  return send();
}

Result<net::Response> RegistryClient::stream(Kind kind, const oci::Reference& what, std::uint64_t from,
                                             std::uint64_t size, Sink& to,
                                             std::optional<std::chrono::seconds>& retry_after) {
  const RegistryLocation location = mirrors_->locate(what.registry(), what.repository());
  const std::string_view collection = kind == Kind::blob ? "blobs" : "manifests";
  TRY_ASSIGN(net::Url url, net::Url::parse(fmt::format("{}/v2/{}/{}/{}", location.base, location.repository,
                                                       collection, what.selector())));
  net::Request request{std::move(url), {}, net::Secret(), from, size - from};
  if (kind == Kind::manifest) request.headers.emplace_back("Accept", accepted_types());
  TRY_ASSIGN(net::Response response, ask(location, std::move(request), &to));
  if (response.succeeded()) return response;
  retry_after = net::parse_retry_after(response.header("retry-after").value_or(""), now());
  const bool refused = response.status == 401 || response.status == 403;
  return upstream_error(response, what.str(), refused ? auth_.login_hint(location) : "");
}

Result<FetchedManifest> RegistryClient::manifest(const oci::Reference& reference) {
  return with_retries(policy_, stop_, [&](auto& retry_after) -> Result<FetchedManifest> {
    MemorySink sink(oci::kMaxManifestBytes);
    TRY_ASSIGN(const net::Response response,
               stream(Kind::manifest, reference, 0, oci::kMaxManifestBytes, sink, retry_after));
    return check_manifest(reference, response, sink.take());
  });
}

Result<bool> RegistryClient::exists(const oci::Reference& reference) {
  const RegistryLocation location = mirrors_->locate(reference.registry(), reference.repository());
  TRY_ASSIGN(const net::Url url, net::Url::parse(fmt::format("{}/v2/{}/manifests/{}", location.base,
                                                             location.repository, reference.selector())));
  return with_retries(policy_, stop_, [&](auto& retry_after) -> Result<bool> {
    const net::Request request{url, {{"Accept", accepted_types()}}, net::Secret(), 0, 0};
    TRY_ASSIGN(const net::Response response, ask(location, request, nullptr));
    if (response.succeeded()) return true;
    if (response.status == 404) return false;
    retry_after = net::parse_retry_after(response.header("retry-after").value_or(""), now());
    return upstream_error(response, reference.str());
  });
}

Result<std::string> RegistryClient::blob_text(const oci::Reference& repository,
                                              const oci::Descriptor& descriptor) {
  const oci::Reference reference = repository.with_digest(descriptor.digest);
  if (descriptor.size > oci::kMaxManifestBytes) {
    return fail(ErrorCode::integrity, "{}: {} bytes, more than the {} a config may have", reference.str(),
                descriptor.size, oci::kMaxManifestBytes);
  }
  return with_retries(policy_, stop_, [&](auto& retry_after) -> Result<std::string> {
    MemorySink memory(descriptor.size);
    VerifyingSink sink(memory, descriptor.digest, descriptor.size, reference.str());
    TRY(stream(Kind::blob, reference, 0, descriptor.size, sink, retry_after));
    TRY(sink.finish());
    return memory.take();
  });
}

Result<RegistryClient::Page> RegistryClient::referrers_page(const RegistryLocation& location,
                                                            const net::Url& url, const std::string& what) {
  return with_retries(policy_, stop_, [&](auto& retry_after) -> Result<Page> {
    MemorySink sink(oci::kMaxManifestBytes);
    const net::Request request{
        url, {{"Accept", std::string(oci::kOciIndex)}}, net::Secret(), 0, oci::kMaxManifestBytes};
    TRY_ASSIGN(net::Response response, ask(location, request, &sink));
    if (net::is_transient_status(response.status)) {
      retry_after = net::parse_retry_after(response.header("retry-after").value_or(""), now());
      return upstream_error(response, what);
    }
    return Page{std::move(response), sink.take()};
  });
}

Result<std::vector<oci::Descriptor>> RegistryClient::tagged_referrers(const oci::Reference& subject,
                                                                      const std::string& what) {
  // Registries before distribution-spec 1.1: an index under the tag sha256-<hex>.
  TRY_ASSIGN(const oci::Reference tag,
             subject.with_tag(fmt::format("{}-{}", to_string(subject.digest()->algorithm()),
                                          subject.digest()->hex().substr(0, 64))));
  TRY_ASSIGN(const bool has_tag, exists(tag));
  if (!has_tag) return std::vector<oci::Descriptor>();
  TRY_ASSIGN(const FetchedManifest index, manifest(tag));
  // There are registries that take that tag for the image itself.
  if (index.descriptor.digest == subject.digest()) return std::vector<oci::Descriptor>();
  return listed_in(index.text, what);
}

Result<std::vector<oci::Descriptor>> RegistryClient::referrers(const oci::Reference& subject) {
  const RegistryLocation location = mirrors_->locate(subject.registry(), subject.repository());
  TRY_ASSIGN(net::Url url, net::Url::parse(fmt::format("{}/v2/{}/referrers/{}", location.base,
                                                       location.repository, subject.selector())));
  const std::string what = "referrers of " + subject.str();
  std::vector<oci::Descriptor> all;
  for (std::size_t count = 0; count < kMaxReferrerPages; ++count) {
    TRY_ASSIGN(const Page page, referrers_page(location, url, what));
    if (!page.response.succeeded() || content_type(page.response) != oci::kOciIndex) {
      if (count == 0 && lacks_referrers(page.response)) return tagged_referrers(subject, what);
      return upstream_error(page.response, what);
    }
    TRY_ASSIGN(auto listed, listed_in(page.text, what));
    std::move(listed.begin(), listed.end(), std::back_inserter(all));
    TRY_ASSIGN(auto next, next_page(page.response, url, what));
    if (!next) return all;
    url = std::move(*next);
  }
  return fail(ErrorCode::integrity, "{}: more than {} pages", what, kMaxReferrerPages);
}

}  // namespace sealift::builder
