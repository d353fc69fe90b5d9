#include "builder/resolve/public_url.hpp"

namespace sealift::builder {

namespace {

/// The URLs among the words of an evidence line, such as "sha256 URL".
Status check_evidence(std::string_view line) {
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    if (word.find("://") != std::string_view::npos) TRY(parse_public_url(std::string(word)));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
  }
  return {};
}

}  // namespace

Result<net::Url> parse_public_url(const std::string& text) {
  TRY_ASSIGN(net::Url url, net::Url::parse(text));
  if (url.has_login()) {
    return fail(ErrorCode::invalid_argument,
                "{}: a login in a URL would be written into the lock and the bundle; put it into a mirror "
                "rule of a --mirrors file",
                url);
  }
  if (const auto name = url.credential_parameter()) {
    return fail(ErrorCode::invalid_argument,
                "{}: the query parameter \"{}\" looks like a credential and would be written into the lock "
                "and the bundle; put it into a mirror rule of a --mirrors file",
                url, *name);
  }
  return url;
}

Status check_public_urls(const bundle::Spec& spec) {
  for (const bundle::FileSpec& file : spec.files) {
    TRY(within(parse_public_url(file.url), "files"));
    if (!file.checksums.empty()) TRY(within(parse_public_url(file.checksums), "files"));
  }
  for (const bundle::ManifestSpec& manifest : spec.manifests) {
    if (!manifest.url.empty()) TRY(within(parse_public_url(manifest.url), "manifest " + manifest.name));
  }
  for (const bundle::PackageSetSpec& set : spec.package_sets) {
    for (const bundle::RepositorySpec& repository : set.repositories)
      TRY(within(parse_public_url(repository.url), "package set " + set.target));
  }
  return {};
}

Status check_public_urls(const bundle::Lock& lock) {
  for (const auto& [digest, blob] : lock.blobs) {
    const std::string what = "the lock's blob " + digest.str();
    if (!blob.origin.url.empty()) TRY(within(parse_public_url(blob.origin.url), what));
    for (const std::string& line : blob.origin.evidence) TRY(within(check_evidence(line), what));
  }
  return {};
}

}  // namespace sealift::builder
