#include "builder/packages/suite_reader.hpp"

#include <algorithm>
#include <array>

#include "lib/pkgrepo/compression.hpp"

namespace sealift::builder {
namespace {

namespace apt = pkgrepo::apt;

constexpr std::uint64_t kMaxReleaseBytes = 16U << 20;
/// In the order of preference.
constexpr std::array<std::string_view, 4> kExtensions{".xz", ".zst", ".gz", ""};

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_flat(const std::string& suite) { return suite.ends_with('/'); }

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// "./", "/" and "sub/" name folders of a flat repository.
std::string flat_folder(std::string_view suite) {
  while (suite.starts_with("./")) suite.remove_prefix(2);
  while (suite.starts_with('/')) suite.remove_prefix(1);
  return std::string(suite);
}

struct SignedRelease {
  openpgp::SignedText signed_text;
  std::string url;
};

Result<SignedRelease> fetch_release(const std::string& base_url, const openpgp::Keyring& keyring,
                                    const PackageSetContext& context) {
  const std::string inline_url = base_url + "InRelease";
  auto document = context.download(inline_url, kMaxReleaseBytes);
  if (document) {
    TRY_ASSIGN(auto text, openpgp::verify_cleartext(*document, keyring, context.clock(), inline_url));
    return SignedRelease{std::move(text), inline_url};
  }
  if (document.error().code() != ErrorCode::not_found) return tl::unexpected(std::move(document).error());
  const std::string url = base_url + "Release";
  TRY_ASSIGN(const std::string release, context.download(url, kMaxReleaseBytes));
  auto signature = context.download(url + ".gpg", kMaxReleaseBytes);
  if (!signature) {
    if (signature.error().code() != ErrorCode::not_found) return tl::unexpected(std::move(signature).error());
    return fail(
        ErrorCode::untrusted,
        "{} has no signature: neither InRelease nor Release.gpg is there; unsigned repositories are not used",
        url);
  }
  TRY_ASSIGN(auto text, openpgp::verify_detached(release, *signature, keyring, context.clock(), url));
  return SignedRelease{std::move(text), url};
}

/// A mirror must not answer for one suite with another that the same key signed (an older release, say).
Status check_suite_name(const apt::Release& release, const std::string& suite, const std::string& url) {
  if (is_flat(suite) || release.suite == suite || release.codename == suite) return {};
  if (release.suite.empty() && release.codename.empty()) return {};
  return fail(ErrorCode::untrusted,
              "{} is the Release of suite '{}' (codename '{}'), not of '{}': ask for it by that name", url,
              release.suite, release.codename, suite);
}

Status check_components(const apt::Release& release, const bundle::RepositorySpec& repository,
                        const std::string& url) {
  for (const std::string& component : repository.components) {
    // Debian's security archive calls its components "updates/main" and keeps them in main/.
    const bool known = std::any_of(
        release.components.begin(), release.components.end(),
        [&](const std::string& has) { return has == component || has.ends_with("/" + component); });
    if (known || release.components.empty()) continue;
    return fail(ErrorCode::invalid_argument, "{} has no component '{}'; it has: {}", url, component,
                fmt::join(release.components, ", "));
  }
  return {};
}

Status check_content(const std::string& content, const apt::IndexFile& expected, const std::string& url) {
  if (content.size() != expected.size) {
    return fail(ErrorCode::integrity, "{}: the signed Release says {} bytes, found {}", url, expected.size,
                content.size());
  }
  if (const Digest found = digest_of(content); found != expected.digest) {
    return fail(ErrorCode::integrity, "{}: the signed Release says {}, found {}", url, expected.digest.str(),
                found.str());
  }
  return {};
}

/// By its digest where the repository has that, so that an update in progress cannot come between.
Result<std::string> fetch_index(const VerifiedSuite& suite, const std::string& path,
                                const apt::IndexFile& expected, const PackageSetContext& context) {
  if (suite.release.acquire_by_hash) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
    const auto url = fmt::format("{}{}by-hash/SHA256/{}", suite.base_url, folder, expected.digest.hex());
    auto content = context.download(url, expected.size);
    if (content) {
      TRY(check_content(*content, expected, url));
      return content;
    }
    if (content.error().code() != ErrorCode::not_found) return content;
  }
  const std::string url = suite.base_url + path;
  TRY_ASSIGN(std::string content, context.download(url, expected.size));
  TRY(check_content(content, expected, url));
  return content;
}

/// The index called `stem` in whichever form the Release lists; null when it lists none.
Result<std::optional<apt::PackageIndex>> load_index(const VerifiedSuite& suite, const std::string& stem,
                                                    const PackageSetContext& context) {
  for (const std::string_view extension : kExtensions) {
    const std::string path = stem + std::string(extension);
    const auto listed = suite.release.files.find(path);
    if (listed == suite.release.files.end()) continue;
    if (listed->second.size > apt::kMaxIndexBytes) {
      return fail(ErrorCode::integrity, "{}{} has {} bytes, more than an index may have", suite.base_url,
                  path, listed->second.size);
    }
    const std::string url = suite.base_url + path;
    TRY_ASSIGN(const std::string content, fetch_index(suite, path, listed->second, context));
    TRY_ASSIGN(std::string text,
               pkgrepo::decompress(content, pkgrepo::compression_of(path), apt::kMaxIndexBytes, url));
    TRY_ASSIGN(auto index, apt::PackageIndex::parse_packages(std::move(text), url));
    return std::optional<apt::PackageIndex>(std::move(index));
  }
  return std::optional<apt::PackageIndex>();
}

tl::unexpected<Error> no_index(const VerifiedSuite& suite, const std::string& stem,
                               const std::string& architecture) {
  if (!suite.release.architectures.empty() && !contains(suite.release.architectures, architecture)) {
    return fail(ErrorCode::invalid_argument, "{} has nothing for architecture {}; it has: {}",
                suite.release_url, architecture, fmt::join(suite.release.architectures, ", "));
  }
  return fail(ErrorCode::invalid_argument,
              "{} lists no {} in a form that can be read (.xz, .zst, .gz or plain)", suite.release_url, stem);
}

}  // namespace

Result<VerifiedSuite> read_suite(const bundle::RepositorySpec& repository, const std::string& suite,
                                 const openpgp::Keyring& keyring, const PackageSetContext& context) {
  if (is_flat(suite) != repository.components.empty()) {
    return fail(ErrorCode::invalid_argument,
                "{}: suite '{}' {}; a suite that ends in '/' is a flat repository and has no components, "
                "every other has some",
                repository.url, suite,
                repository.components.empty() ? "has no components" : "is given components");
  }
  VerifiedSuite verified;
  verified.repository_url = without_slash(repository.url);
  verified.base_url = is_flat(suite) ? fmt::format("{}/{}", verified.repository_url, flat_folder(suite))
                                     : fmt::format("{}/dists/{}/", verified.repository_url, suite);
  verified.suite = suite;
  verified.components = repository.components;
  TRY_ASSIGN(const SignedRelease release, fetch_release(verified.base_url, keyring, context));
  verified.release_url = release.url;
  verified.evidence = fmt::format("openpgp {} {}", release.url, release.signed_text.fingerprints.front());
  TRY_ASSIGN(verified.release, apt::parse_release(release.signed_text.text, release.url));
  TRY(apt::check_validity(verified.release, context.clock(), release.url));
  TRY(check_suite_name(verified.release, suite, release.url));
  TRY(check_components(verified.release, repository, release.url));
  return verified;
}

Result<std::vector<LoadedIndex>> read_indexes(const VerifiedSuite& suite, const std::string& architecture,
                                              const PackageSetContext& context) {
  std::vector<LoadedIndex> loaded;
  const int priority = apt::pin_priority(suite.release);
  const auto load = [&](const std::string& stem) -> Result<bool> {
    TRY_ASSIGN(auto index, load_index(suite, stem, context));
    if (!index) return false;
    loaded.push_back({suite.repository_url, suite.evidence, priority, std::move(*index)});
    return true;
  };
  if (suite.components.empty()) {
    TRY_ASSIGN(const bool found, load("Packages"));
    if (!found) return no_index(suite, "Packages", architecture);
  }
  const bool separate_all =
      contains(suite.release.architectures, "all") && !suite.release.all_in_each_architecture;
  for (const std::string& component : suite.components) {
    const std::string stem = fmt::format("{}/binary-{}/Packages", component, architecture);
    TRY_ASSIGN(const bool found, load(stem));
    if (!found) return no_index(suite, stem, architecture);
    if (separate_all) TRY(load(fmt::format("{}/binary-all/Packages", component)));
  }
  return loaded;
}

}  // namespace sealift::builder
