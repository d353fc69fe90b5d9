#include "builder/fetch/registry_client.hpp"

#include <algorithm>

#include "builder/fetch/upstream_error.hpp"

namespace sealift::builder {

namespace {

std::string accepted_types() {
  return fmt::format("{}, {}, {}, {}, {}", oci::kOciIndex, oci::kDockerManifestList, oci::kOciManifest,
                     oci::kDockerManifest, oci::kOciArtifactManifest);
}

bool is_success(const net::Response& response) { return response.status >= 200 && response.status < 300; }

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

}  // namespace

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
  if (is_success(response)) return response;
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
    if (is_success(response)) return true;
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

Result<std::vector<oci::Descriptor>> RegistryClient::referrers(const oci::Reference& subject) {
  const RegistryLocation location = mirrors_->locate(subject.registry(), subject.repository());
  TRY_ASSIGN(const net::Url url, net::Url::parse(fmt::format("{}/v2/{}/referrers/{}", location.base,
                                                             location.repository, subject.selector())));
  MemorySink sink(oci::kMaxManifestBytes);
  const net::Request request{
      url, {{"Accept", std::string(oci::kOciIndex)}}, net::Secret(), 0, oci::kMaxManifestBytes};
  const std::string what = "referrers of " + subject.str();
  TRY_ASSIGN(const net::Response response, ask(location, request, &sink));
  std::string text;
  if (is_success(response) && content_type(response) == oci::kOciIndex) {
    text = sink.take();
  } else {
    // Registries before distribution-spec 1.1: an index under the tag sha256-<hex>.
    TRY_ASSIGN(const oci::Reference tag,
               subject.with_tag(fmt::format("{}-{}", to_string(subject.digest()->algorithm()),
                                            subject.digest()->hex().substr(0, 64))));
    TRY_ASSIGN(const bool has_tag, exists(tag));
    if (!has_tag) return std::vector<oci::Descriptor>();
    TRY_ASSIGN(FetchedManifest fallback, manifest(tag));
    // There are registries that take that tag for the image itself.
    if (fallback.descriptor.digest == subject.digest()) return std::vector<oci::Descriptor>();
    text = std::move(fallback.text);
  }
  TRY_ASSIGN(oci::Document document, oci::parse_document(text, "", what));
  auto* index = std::get_if<oci::Index>(&document);
  if (index == nullptr) return std::vector<oci::Descriptor>();
  return std::move(index->manifests);
}

}  // namespace sealift::builder
