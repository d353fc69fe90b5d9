#include "lib/bundle/spec.hpp"

#include <algorithm>
#include <array>

#include "lib/base/dns.hpp"
#include "lib/base/yaml.hpp"
#include "lib/bundle/served_path.hpp"
#include "lib/oci/reference.hpp"

namespace sealift::bundle {

namespace {

using yaml::Node;

constexpr std::array<std::string_view, 6> kComponents = {"containerd", "runc",    "cni-plugins",
                                                         "crictl",     "etcdctl", "helm"};
constexpr std::array<std::string_view, 3> kPlatforms = {"linux/amd64", "linux/arm64", "linux/arm/v7"};

bool is_plain_version(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9' &&
         text.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyz-+") == std::string_view::npos;
}

/// Names become parts of paths and URLs.
bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && text.front() != '-' && text.front() != '.' &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") ==
             std::string_view::npos;
}

Result<std::string> read_version(const Node& map, std::string_view key) {
  TRY_ASSIGN(const Node node, map.get(key));
  TRY_ASSIGN(const std::string version, node.string());
  if (!is_plain_version(version)) {
    return node.error("expected a version such as 1.32.3 (without \"v\"), found \"{}\"", version);
  }
  return version;
}

Result<std::string> read_name(const Node& map, std::string_view key) {
  TRY_ASSIGN(const Node node, map.get(key));
  TRY_ASSIGN(const std::string name, node.string());
  if (!is_plain_name(name)) {
    return node.error("expected letters, digits, '.', '-' and '_', at most 100, found \"{}\"",
                      name.substr(0, 120));
  }
  return name;
}

Result<std::vector<std::string>> read_platforms(const Node& map) {
  TRY_ASSIGN(const auto nodes, map.items("platforms"));
  std::vector<std::string> platforms;
  for (const Node& node : nodes) {
    TRY_ASSIGN(const std::string platform, node.string());
    if (std::find(kPlatforms.begin(), kPlatforms.end(), platform) == kPlatforms.end()) {
      return node.error("unknown platform \"{}\"; known: {}", platform, fmt::join(kPlatforms, ", "));
    }
    platforms.push_back(platform);
  }
  return platforms;
}

Result<std::optional<Digest>> read_sha256(const Node& map) {
  TRY_ASSIGN(const auto node, map.find("sha256"));
  if (!node) return std::optional<Digest>();
  TRY_ASSIGN(const std::string text, node->string());
  auto digest = Digest::from_hex(DigestAlgorithm::sha256, text);
  if (!digest) return node->error("expected 64 hex digits, found \"{}\"", text.substr(0, 80));
  return std::optional<Digest>(std::move(*digest));
}

Result<std::string> read_image_name(const Node& node) {
  TRY_ASSIGN(std::string name, node.string());
  if (const auto reference = oci::Reference::parse(name); !reference)
    return node.error("{}", reference.error().message());
  return name;
}

Result<ImageSpec> read_image(const Node& node) {
  ImageSpec image;
  if (node.is_scalar()) {
    TRY_ASSIGN(image.name, read_image_name(node));
    return image;
  }
  TRY(node.only({"name", "platforms"}));
  TRY_ASSIGN(const Node name, node.get("name"));
  TRY_ASSIGN(image.name, read_image_name(name));
  TRY_ASSIGN(const auto platforms, node.find("platforms"));
  if (platforms && platforms->is_scalar()) {
    TRY_ASSIGN(const std::string word, platforms->string());
    if (word != "all") return platforms->error("expected \"all\" or a list of platforms, found \"{}\"", word);
    image.platforms = {"all"};
    return image;
  }
  TRY_ASSIGN(image.platforms, read_platforms(node));
  return image;
}

Status read_url(const Node& node, const std::string& url) {
  if (url.starts_with("https://") || url.starts_with("http://")) return {};
  // What is no URL may still hold a login or a token.
  const bool may_be_secret = url.find_first_of("@?") != std::string::npos;
  return node.error("expected a URL that begins with https:// or http://, found \"{}\"",
                    may_be_secret ? "***" : url.substr(0, 100));
}

Result<FileSpec> read_file_spec(const Node& node) {
  TRY(node.only({"url", "sha256", "checksums", "path", "mode"}));
  FileSpec file;
  TRY_ASSIGN(file.url, node.string("url"));
  TRY(read_url(node, file.url));
  TRY_ASSIGN(file.digest, read_sha256(node));
  TRY_ASSIGN(file.checksums, node.string_or("checksums", ""));
  if (!file.checksums.empty()) TRY(read_url(node, file.checksums));
  TRY_ASSIGN(file.path, node.string_or("path", ""));
  if (!file.path.empty() && !is_served_path("files/" + file.path))
    return node.error("path \"{}\" must be {}", file.path.substr(0, 120), kServedPathRule);
  TRY_ASSIGN(const std::string mode, node.string_or("mode", "0644"));
  if (mode != "0644" && mode != "0755") return node.error("mode must be 0644 or 0755, found \"{}\"", mode);
  file.mode = mode == "0755" ? 0755 : 0644;
  return file;
}

Result<ManifestSpec> read_manifest(const Node& node) {
  TRY(node.only({"name", "url", "file", "sha256"}));
  ManifestSpec manifest;
  TRY_ASSIGN(const Node name, node.get("name"));
  TRY_ASSIGN(manifest.name, name.string());
  if (!is_dns_label(manifest.name)) {
    return name.error(
        "expected lower-case letters, digits and '-', at most 63, since cluster.yaml names it so; found "
        "\"{}\"",
        manifest.name.substr(0, 120));
  }
  TRY_ASSIGN(manifest.url, node.string_or("url", ""));
  TRY_ASSIGN(manifest.file, node.string_or("file", ""));
  if (manifest.url.empty() == manifest.file.empty())
    return node.error("a manifest needs exactly one of url and file");
  if (!manifest.url.empty()) TRY(read_url(node, manifest.url));
  TRY_ASSIGN(manifest.digest, read_sha256(node));
  return manifest;
}

/// A suite that ends in '/' is the folder of a flat repository, which knows no components.
Status check_suites(const Node& node, const RepositorySpec& repository) {
  if (repository.suites.empty()) return node.error("suites must not be empty");
  const auto is_flat = [](const std::string& suite) { return suite.ends_with('/'); };
  const auto flat =
      static_cast<std::size_t>(std::count_if(repository.suites.begin(), repository.suites.end(), is_flat));
  if (flat != 0 && flat != repository.suites.size()) {
    return node.error(
        "suites that end in '/' are flat repositories and others are not: make two entries of them");
  }
  if (flat != 0 && !repository.components.empty())
    return node.error("a flat repository (its suites end in '/') has no components: leave them out");
  if (flat == 0 && repository.components.empty())
    return node.error("components must not be empty, except for flat repositories, whose suites end in '/'");
  return {};
}

Result<RepositorySpec> read_repository(const Node& node) {
  TRY(node.only({"url", "suites", "components", "keyring"}));
  RepositorySpec repository;
  TRY_ASSIGN(repository.url, node.string("url"));
  TRY(read_url(node, repository.url));
  while (repository.url.ends_with('/')) repository.url.pop_back();
  TRY_ASSIGN(repository.suites, node.strings("suites"));
  TRY_ASSIGN(repository.components, node.strings("components"));
  TRY_ASSIGN(repository.keyring, node.string("keyring"));
  TRY(check_suites(node, repository));
  return repository;
}

Result<PackageSetSpec> read_package_set(const Node& node) {
  TRY(node.only({"target", "baseline", "architectures", "repositories", "install", "recommends"}));
  PackageSetSpec set;
  TRY_ASSIGN(set.target, read_name(node, "target"));
  TRY_ASSIGN(set.baseline, node.string_or("baseline", "none"));
  TRY_ASSIGN(set.architectures, node.strings("architectures"));
  TRY_ASSIGN(const auto repositories, node.items("repositories"));
  for (const Node& item : repositories) {
    TRY_ASSIGN(RepositorySpec repository, read_repository(item));
    set.repositories.push_back(std::move(repository));
  }
  TRY_ASSIGN(set.install, node.strings("install"));
  TRY_ASSIGN(set.recommends, node.boolean_or("recommends", false));
  if (set.repositories.empty()) return node.error("a package set needs at least one repository");
  if (set.install.empty()) return node.error("a package set needs at least one package under install");
  return set;
}

Result<std::vector<MirrorRule>> read_mirrors(const Node& root) {
  TRY_ASSIGN(const auto members, root.members("mirrors"));
  std::vector<MirrorRule> rules;
  for (const auto& [from, node] : members) {
    TRY_ASSIGN(std::string to, node.string());
    if (from.empty() || to.empty()) return node.error("a mirror rule is \"upstream: replacement\"");
    rules.push_back({from, std::move(to)});
  }
  return rules;
}

Status read_lists(const Node& root, Spec& spec) {
  TRY_ASSIGN(const auto components, root.members("components"));
  for (const auto& [name, node] : components) {
    if (std::find(kComponents.begin(), kComponents.end(), name) == kComponents.end()) {
      return node.error("unknown component \"{}\"; known: {}", name, fmt::join(kComponents, ", "));
    }
    TRY_ASSIGN(const std::string version, node.string());
    if (!is_plain_version(version))
      return node.error("expected a version such as 2.0.4, found \"{}\"", version);
    spec.components.push_back({name, version});
  }
  TRY_ASSIGN(const auto manifests, root.items("manifests"));
  for (const Node& node : manifests) {
    TRY_ASSIGN(ManifestSpec manifest, read_manifest(node));
    spec.manifests.push_back(std::move(manifest));
  }
  TRY_ASSIGN(const auto images, root.items("images"));
  for (const Node& node : images) {
    TRY_ASSIGN(ImageSpec image, read_image(node));
    spec.images.push_back(std::move(image));
  }
  TRY_ASSIGN(const auto files, root.items("files"));
  for (const Node& node : files) {
    TRY_ASSIGN(FileSpec file, read_file_spec(node));
    spec.files.push_back(std::move(file));
  }
  TRY_ASSIGN(const auto sets, root.items("packages"));
  for (const Node& node : sets) {
    TRY_ASSIGN(PackageSetSpec set, read_package_set(node));
    const bool twice = std::any_of(spec.package_sets.begin(), spec.package_sets.end(),
                                   [&](const auto& other) { return other.target == set.target; });
    if (twice) return node.error("the target \"{}\" is given twice", set.target);
    spec.package_sets.push_back(std::move(set));
  }
  return {};
}

}  // namespace

Result<Spec> parse_spec(std::string_view text, const std::string& file) {
  TRY_ASSIGN(const Node root, Node::parse(text, file));
  TRY(root.only({"apiVersion", "kind", "metadata", "platforms", "kubernetes", "components", "manifests",
                 "images", "files", "packages", "mirrors", "compressFiles"}));
  TRY_ASSIGN(const Node api, root.get("apiVersion"));
  TRY_ASSIGN(const std::string api_version, api.string());
  if (api_version != "sealift/v1")
    return api.error("expected apiVersion: sealift/v1, found \"{}\"", api_version);
  TRY_ASSIGN(const Node kind, root.get("kind"));
  TRY_ASSIGN(const std::string kind_text, kind.string());
  if (kind_text != "Bundle") return kind.error("expected kind: Bundle, found \"{}\"", kind_text);

  Spec spec;
  TRY_ASSIGN(const Node metadata, root.get("metadata"));
  TRY(metadata.only({"name", "version"}));
  TRY_ASSIGN(spec.name, read_name(metadata, "name"));
  TRY_ASSIGN(spec.version, read_name(metadata, "version"));
  TRY_ASSIGN(spec.platforms, read_platforms(root));
  if (spec.platforms.empty()) spec.platforms = {"linux/amd64"};
  TRY_ASSIGN(const auto kubernetes, root.find("kubernetes"));
  if (kubernetes) {
    TRY(kubernetes->only({"version", "dns"}));
    KubernetesSpec value;
    TRY_ASSIGN(value.version, read_version(*kubernetes, "version"));
    TRY_ASSIGN(value.dns, kubernetes->boolean_or("dns", true));
    spec.kubernetes = std::move(value);
  }
  TRY(read_lists(root, spec));
  TRY_ASSIGN(spec.mirrors, read_mirrors(root));
  TRY_ASSIGN(spec.compress_files, root.boolean_or("compressFiles", true));
  return spec;
}

Result<std::vector<MirrorRule>> parse_mirrors(std::string_view text, const std::string& file) {
  TRY_ASSIGN(const Node root, Node::parse(text, file));
  TRY(root.only({"mirrors"}));
  return read_mirrors(root);
}

}  // namespace sealift::bundle
