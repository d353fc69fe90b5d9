#include <algorithm>
#include <array>

#include "builder/resolve/lock_file.hpp"
#include "builder/resolve/resolve.hpp"
#include "lib/net/url.hpp"
#include "lib/oci/platform.hpp"

namespace sealift::builder {

namespace {

/// Where upstreams publish their releases. {v} is the version without "v", {a} the architecture in Go's
/// names.
struct Release {
  std::string_view component;
  std::string_view url;
  std::string_view checksums;
  unsigned mode;
};

constexpr std::array<Release, 6> kReleases = {{
    {"containerd",
     "https://github.com/containerd/containerd/releases/download/v{v}/containerd-{v}-linux-{a}.tar.gz",
     "https://github.com/containerd/containerd/releases/download/v{v}/"
     "containerd-{v}-linux-{a}.tar.gz.sha256sum",
     0644},
    {"runc", "https://github.com/opencontainers/runc/releases/download/v{v}/runc.{a}",
     "https://github.com/opencontainers/runc/releases/download/v{v}/runc.sha256sum", 0755},
    {"cni-plugins",
     "https://github.com/containernetworking/plugins/releases/download/v{v}/cni-plugins-linux-{a}-v{v}.tgz",
     "https://github.com/containernetworking/plugins/releases/download/v{v}/"
     "cni-plugins-linux-{a}-v{v}.tgz.sha256",
     0644},
    {"crictl",
     "https://github.com/kubernetes-sigs/cri-tools/releases/download/v{v}/crictl-v{v}-linux-{a}.tar.gz",
     "https://github.com/kubernetes-sigs/cri-tools/releases/download/v{v}/"
     "crictl-v{v}-linux-{a}.tar.gz.sha256",
     0644},
    {"etcdctl", "https://github.com/etcd-io/etcd/releases/download/v{v}/etcd-v{v}-linux-{a}.tar.gz",
     "https://github.com/etcd-io/etcd/releases/download/v{v}/SHA256SUMS", 0644},
    {"helm", "https://get.helm.sh/helm-v{v}-linux-{a}.tar.gz",
     "https://get.helm.sh/helm-v{v}-linux-{a}.tar.gz.sha256sum", 0644},
}};
constexpr std::array<std::string_view, 2> kArchitectures = {"amd64", "arm64"};

std::string filled(std::string_view form, const std::string& version, const std::string& architecture) {
  return fmt::format(fmt::runtime(form), fmt::arg("v", version), fmt::arg("a", architecture));
}

}  // namespace

Result<ResolvedFiles> resolve_components(const std::vector<bundle::ComponentSpec>& specs,
                                         const ResolveContext& context) {
  std::vector<WantedFile> wanted;
  for (const bundle::ComponentSpec& spec : specs) {
    const auto release = std::find_if(kReleases.begin(), kReleases.end(),
                                      [&](const auto& one) { return one.component == spec.name; });
    if (release == kReleases.end())
      return fail(ErrorCode::invalid_argument, "components: \"{}\" is not known", spec.name);
    for (const std::string& text : context.platforms) {
      TRY_ASSIGN(const oci::Platform platform, oci::Platform::parse(text));
      if (std::find(kArchitectures.begin(), kArchitectures.end(), platform.architecture) ==
          kArchitectures.end()) {
        return fail(ErrorCode::unsupported, "components: {} has no upstream release for {}; known: {}",
                    spec.name, text, fmt::join(kArchitectures, ", "));
      }
      WantedFile file;
      file.url = filled(release->url, spec.version, platform.architecture);
      file.checksums = filled(release->checksums, spec.version, platform.architecture);
      TRY_ASSIGN(const net::Url url, net::Url::parse(file.url));
      file.path = fmt::format("bin/{}/{}", text, url.filename());
      file.role = spec.name;
      file.platform = text;
      file.mode = release->mode;
      wanted.push_back(std::move(file));
    }
  }
  return within(lock_files(wanted, context), "components");
}

}  // namespace sealift::builder
