#include "installer/plan/supply.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace sealift::installer {
namespace {

using bundle::Contents;

/// Packages of one job; what a bundle holds beyond these goes to every node.
constexpr std::array<std::string_view, 5> kBalancerPackages{"keepalived", "nginx", "nginx-light",
                                                            "libnginx-mod-stream", "haproxy"};
constexpr std::array<std::string_view, 2> kEverywhere{"chrony", "ethtool"};

template <typename Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

/// Entries of `later` replace those of `earlier` with the same key.
template <typename Entry, typename Key>
void merge_entries(std::vector<Entry>& earlier, const std::vector<Entry>& later, Key key) {
  std::map<std::string, Entry> merged;
  for (Entry& entry : earlier) merged.insert_or_assign(key(entry), std::move(entry));
  for (const Entry& entry : later) merged.insert_or_assign(key(entry), entry);
  earlier.clear();
  for (auto& [name, entry] : merged) earlier.push_back(std::move(entry));
}

/// "files/bin/containerd-2.0.4-linux-amd64.tar.gz" -> 2.0.4
std::optional<ReleaseVersion> version_in_name(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (std::size_t at = name.find('-'); at != std::string::npos; at = name.find('-', at + 1))
    if (const auto version = ReleaseVersion::parse(std::string_view(name).substr(at + 1)); version)
      return *version;
  return std::nullopt;
}

bool is_control_plane_image(std::string_view name) {
  const std::string_view base = name.substr(name.rfind('/') + 1);
  return base.starts_with("kube-apiserver") || base.starts_with("kube-controller-manager") ||
         base.starts_with("kube-scheduler") || base.starts_with("etcd");
}

}  // namespace

Contents merge_contents(const std::vector<const Contents*>& bundles) {
  Contents merged;
  for (const Contents* next : bundles) {
    merged.name = next->name;
    merged.version = next->version;
    merged.time = next->time;
    if (!next->kubernetes_version.empty()) {
      merged.kubernetes_version = next->kubernetes_version;
      merged.kubernetes_images = next->kubernetes_images;
    }
    for (const std::string& platform : next->platforms)
      if (!contains(merged.platforms, platform)) merged.platforms.push_back(platform);
    merge_entries(merged.images, next->images, [](const auto& image) { return image.name; });
    merge_entries(merged.files, next->files, [](const auto& file) { return file.path; });
    merge_entries(merged.package_sets, next->package_sets, [](const auto& set) { return set.target; });
    merged.blobs.insert(next->blobs.begin(), next->blobs.end());
  }
  return merged;
}

Status check_repository_keys(const std::vector<const Contents*>& bundles) {
  const bundle::FileEntry* last = nullptr;
  std::set<std::string> replaced;
  for (auto bundle = bundles.rbegin(); bundle != bundles.rend(); ++bundle) {
    const bundle::FileEntry* key = (*bundle)->find_file(kRepositoryKey);
    if (last == nullptr) last = key;
    for (const auto& set : (*bundle)->package_sets)
      if (replaced.insert(set.target).second && key != nullptr && key->digest != last->digest)
        return fail(ErrorCode::precondition,
                    "bundle '{}': its packages for {} are signed by another repository key than the last "
                    "bundle's; make all bundles of a site with the same --repository-key",
                    (*bundle)->name, set.target);
  }
  return {};
}

std::string platform_of(const std::string& machine) {
  if (machine == "x86_64") return "linux/amd64";
  return machine == "aarch64" ? "linux/arm64" : "";
}

std::string package_target(const Facts& facts) {
  const auto value = [&](const char* key) {
    const auto found = facts.os_release.find(key);
    return found == facts.os_release.end() ? std::string("unknown") : found->second;
  };
  return value("ID") + "-" + value("VERSION_ID");
}

const bundle::PackageSetEntry* find_package_set(const Contents& contents, const Facts& facts) {
  const std::string target = package_target(facts);
  const auto found = std::find_if(contents.package_sets.begin(), contents.package_sets.end(),
                                  [&](const auto& set) { return set.target == target; });
  return found == contents.package_sets.end() ? nullptr : &*found;
}

Result<std::vector<Package>> packages_for(const Contents& contents, const Facts& facts,
                                          const Cluster& cluster, const Host& host) {
  std::vector<Package> packages;
  const auto* set = find_package_set(contents, facts);
  if (set == nullptr) return packages;
  const auto balancers = cluster.balancers();
  const bool balances = std::any_of(balancers.begin(), balancers.end(),
                                    [&](const Host* other) { return other->name == host.name; });
  for (const std::string& name : set->install) {
    const bool wanted =
        contains(kBalancerPackages, name) ? balances : host.is_node() || contains(kEverywhere, name);
    if (!wanted || (name == "chrony" && keeps_timesyncd(facts))) continue;
    const auto entry = std::find_if(set->packages.begin(), set->packages.end(), [&](const auto& package) {
      return package.name == name &&
             (package.architecture == facts.dpkg_architecture || package.architecture == "all");
    });
    if (entry != set->packages.end()) {
      packages.push_back({entry->name, entry->version});
    } else if (!facts.packages.contains(name)) {
      // Asked for and yet not bundled: it is part of the baseline, so the host should have it already.
      return fail(ErrorCode::precondition,
                  "host '{}' lacks the package {}, which the bundle takes for granted on {} (baseline {}): "
                  "install it, or "
                  "build the bundle against what these machines really have",
                  host.name, name, set->target, set->baseline);
    }
  }
  return packages;
}

bool keeps_timesyncd(const Facts& facts) {
  return facts.packages.contains("systemd-timesyncd") && !facts.packages.contains("chrony");
}

bool has_package(const std::vector<Package>& packages, std::string_view name) {
  return std::any_of(packages.begin(), packages.end(),
                     [&](const Package& package) { return package.name == name; });
}

Result<ReleaseVersion> containerd_version(const Contents& contents, const Facts& facts) {
  if (const auto* file = contents.find_role("containerd", platform_of(facts.machine)); file != nullptr) {
    if (const auto version = version_in_name(file->path)) return *version;
    return fail(ErrorCode::precondition, "the bundle's {} does not tell its version", file->path);
  }
  if (const auto* set = find_package_set(contents, facts); set != nullptr)
    for (const auto& package : set->packages)
      if (package.name == "containerd" || package.name == "containerd.io")
        return ReleaseVersion::parse(std::string_view(package.version).substr(package.version.find(':') + 1));
  return fail(
      ErrorCode::precondition,
      "the bundle has no containerd for {} on {}: neither a release (components: containerd) nor a package",
      package_target(facts), facts.machine);
}

Result<std::string> sandbox_image(const Contents& contents) {
  for (const std::string& name : contents.kubernetes_images)
    if (std::string_view(name).substr(name.rfind('/') + 1).starts_with("pause:")) return name;
  return fail(ErrorCode::precondition, "the bundle has no pause image among the images of Kubernetes {}",
              contents.kubernetes_version);
}

Result<std::vector<std::string>> images_for(const Contents& contents, const Host& host) {
  TRY_ASSIGN(const std::string sandbox, sandbox_image(contents));
  std::vector<std::string> images{sandbox};
  for (const std::string& name : contents.kubernetes_images)
    if (name != sandbox && (host.has(Role::control_plane) || !is_control_plane_image(name)))
      images.push_back(name);
  return images;
}

std::vector<std::string> images_in_manifest(const std::string& text) {
  std::vector<std::string> images;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    line.remove_prefix(std::min(line.find_first_not_of(" -"), line.size()));
    if (!line.starts_with("image:")) continue;
    line.remove_prefix(6);
    line = line.substr(0, line.find(" #"));
    while (!line.empty() && std::string_view(" \"'\r\t").find(line.front()) != std::string_view::npos)
      line.remove_prefix(1);
    while (!line.empty() && std::string_view(" \"'\r\t").find(line.back()) != std::string_view::npos)
      line.remove_suffix(1);
    if (!line.empty() && !contains(images, line)) images.emplace_back(line);
  }
  return images;
}

std::string full_image_name(const std::string& name) {
  std::string full = name;
  const std::size_t slash = full.find('/');
  const std::string first = full.substr(0, slash);
  if (slash == std::string::npos)
    full = "docker.io/library/" + full;
  else if (first.find_first_of(".:") == std::string::npos && first != "localhost")
    full = "docker.io/" + full;
  if (full.find('@') == std::string::npos && full.find(':', full.rfind('/')) == std::string::npos)
    full += ":latest";
  return full;
}

}  // namespace sealift::installer
