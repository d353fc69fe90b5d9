#include "lib/pkgrepo/apt/repository.hpp"

#include <algorithm>

#include "lib/base/files.hpp"
#include "lib/pkgrepo/apt/deb822.hpp"
#include "lib/pkgrepo/apt/release.hpp"
#include "lib/pkgrepo/apt/version.hpp"

namespace sealift::pkgrepo::apt {
namespace {

constexpr std::string_view kSuite = "stable";
constexpr std::string_view kComponent = "main";

/// A file name that no URL encoding changes: the epoch's "%3a" in upstream names is where clients disagree.
bool is_plain_file_name(std::string_view name) {
  return name.ends_with(".deb") && name[0] != '.' && name.size() < 255 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("+-._~").find(c) != std::string_view::npos;
         });
}

struct Listed {
  std::string architecture;
  std::string stanza;
};

Result<Listed> list_package(const PoolPackage& package) {
  StanzaReader reader(package.control, package.filename);
  TRY_ASSIGN(const Stanza* stanza, reader.next());
  if (stanza == nullptr || !is_package_name(stanza->get("Package")) || !is_version(stanza->get("Version")) ||
      !is_package_name(stanza->get("Architecture"))) {
    return fail(ErrorCode::integrity, "{}: its control has no sound Package, Version and Architecture",
                package.filename);
  }
  if (!is_confined_path(package.filename) || package.filename.find_first_of(" \t\n") != std::string::npos) {
    return fail(ErrorCode::integrity, "'{}' is not a path inside the repository", package.filename);
  }
  Listed listed;
  listed.architecture = stanza->get("Architecture");
  listed.stanza = fmt::format("{}\nFilename: {}\nSize: {}\nSHA256: {}\n", stanza->text, package.filename,
                              package.size, package.digest.hex());
  TRY_ASSIGN(const Stanza* second, reader.next());
  if (second != nullptr)
    return fail(ErrorCode::integrity, "{}: its control holds more than one stanza", package.filename);
  return listed;
}

std::string packages_text(const std::vector<Listed>& listed, const std::string& architecture) {
  std::string text;
  for (const Listed& package : listed) {
    if (package.architecture == architecture || package.architecture == "all") text += package.stanza + "\n";
  }
  return text;
}

/// The index under its name and under its digest, and its line in Release.
void add_index(std::vector<RepositoryIndex>& indexes, Release& release, const std::string& folder,
               const std::string& name, std::string content) {
  const Digest digest = digest_of(content);
  release.files.emplace(folder + name, IndexFile{digest, content.size()});
  const std::string base = fmt::format("dists/{}/{}", kSuite, folder);
  indexes.push_back({fmt::format("{}by-hash/SHA256/{}", base, digest.hex()), content});
  indexes.push_back({base + name, std::move(content)});
}

}  // namespace

std::string pool_path(std::string_view source, std::string_view name, std::string_view version,
                      std::string_view architecture, std::string_view upstream_filename) {
  const auto slash = upstream_filename.rfind('/');
  const auto last = slash == std::string_view::npos ? upstream_filename : upstream_filename.substr(slash + 1);
  const std::string file = is_plain_file_name(last)
                               ? std::string(last)
                               : fmt::format("{}_{}_{}.deb", name, without_epoch(version), architecture);
  const auto letter =
      source.starts_with("lib") && source.size() > 3 ? source.substr(0, 4) : source.substr(0, 1);
  return fmt::format("pool/{}/{}/{}/{}", kComponent, letter, source, file);
}

Result<std::vector<RepositoryIndex>> write_repository(const std::vector<PoolPackage>& packages,
                                                      const std::vector<std::string>& architectures,
                                                      Timestamp time, std::string_view description) {
  std::vector<Listed> listed;
  listed.reserve(packages.size());
  for (const PoolPackage& package : packages) {
    TRY_ASSIGN(Listed one, list_package(package));
    listed.push_back(std::move(one));
  }
  Release release;
  release.origin = release.label = "Sealift";
  release.suite = release.codename = kSuite;
  release.description = description;
  release.date = time;
  release.acquire_by_hash = true;
  release.all_in_each_architecture = true;
  release.architectures = architectures;
  std::sort(release.architectures.begin(), release.architectures.end());
  release.components = {std::string(kComponent)};
  std::vector<RepositoryIndex> indexes;
  for (const std::string& architecture : release.architectures) {
    if (!is_package_name(architecture) || architecture == "all") {
      return fail(ErrorCode::invalid_argument, "'{}' is not the name of a machine architecture",
                  architecture);
    }
    const std::string text = packages_text(listed, architecture);
    const std::string folder = fmt::format("{}/binary-{}/", kComponent, architecture);
    // Uncompressed only: a compressor of another version would give other bytes for the same lock.
    add_index(indexes, release, folder, "Packages", text);
  }
  indexes.push_back({fmt::format("dists/{}/Release", kSuite), write_release(release)});
  std::sort(indexes.begin(), indexes.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  // Architectures with the same packages have the same digests, but in folders of their own: paths never
  // repeat.
  return indexes;
}

}  // namespace sealift::pkgrepo::apt
