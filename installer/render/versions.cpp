#include "installer/render/versions.hpp"

#include <charconv>

namespace sealift::installer {

Result<ReleaseVersion> ReleaseVersion::parse(std::string_view text) {
  ReleaseVersion version;
  std::string_view rest = text;
  if (rest.starts_with('v')) rest.remove_prefix(1);
  unsigned* const parts[] = {&version.major, &version.minor, &version.patch};
  for (unsigned* part : parts) {
    if (part != parts[0]) {
      if (!rest.starts_with('.')) {
        if (part == parts[2]) return version;
        return fail(ErrorCode::invalid_argument, "'{}' is not a version (expected the form 1.32.3)", text);
      }
      rest.remove_prefix(1);
    }
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), *part);
    if (parsed.ec != std::errc())
      return fail(ErrorCode::invalid_argument, "'{}' is not a version (expected the form 1.32.3)", text);
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
  }
  return version;
}

std::string ReleaseVersion::str() const { return fmt::format("{}.{}.{}", major, minor, patch); }

std::string_view to_string(KubeadmApi api) {
  switch (api) {
    case KubeadmApi::v1beta2:
      return "kubeadm.k8s.io/v1beta2";
    case KubeadmApi::v1beta3:
      return "kubeadm.k8s.io/v1beta3";
    case KubeadmApi::v1beta4:
      return "kubeadm.k8s.io/v1beta4";
  }
  return "";
}

Result<KubeadmApi> kubeadm_api(const ReleaseVersion& kubernetes) {
  if (kubernetes.major != 1 || kubernetes.minor < 19)
    return fail(ErrorCode::unsupported,
                "Kubernetes {} is not supported: 1.19 is the oldest whose kubeadm this version can drive",
                kubernetes.str());
  if (kubernetes.minor <= 21) return KubeadmApi::v1beta2;
  return kubernetes.minor <= 30 ? KubeadmApi::v1beta3 : KubeadmApi::v1beta4;
}

Result<unsigned> containerd_config_version(const ReleaseVersion& containerd) {
  if (containerd.major == 1 && containerd.minor >= 5) return 2U;
  if (containerd.major == 2) return 3U;
  return fail(ErrorCode::unsupported,
              "containerd {} is not supported: 1.5 to 2.x read registry mirrors from certs.d",
              containerd.str());
}

}  // namespace sealift::installer
