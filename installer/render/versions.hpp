/// What depends on the version of Kubernetes and of containerd.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift::installer {

/// "1.32.3", with or without "v", with or without what follows the three numbers ("1.6.20~ds1-1+b1").
struct ReleaseVersion {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  static Result<ReleaseVersion> parse(std::string_view text);
  std::string str() const;
  friend auto operator<=>(const ReleaseVersion&, const ReleaseVersion&) = default;
};

/// The first kubelet that asks no cloud for registry credentials and may send 50 requests a second by default
/// (100 at once); those before it had 5 and 10.
inline constexpr ReleaseVersion kModernKubelet{1, 27, 0};

enum class KubeadmApi { v1beta2, v1beta3, v1beta4 };
std::string_view to_string(KubeadmApi api);

/// v1beta2 to 1.21, v1beta3 from 1.22 to 1.30, v1beta4 from 1.31. Older than 1.19 is ErrorCode::unsupported.
Result<KubeadmApi> kubeadm_api(const ReleaseVersion& kubernetes);

/// Version of containerd's configuration file: 2 for 1.5 to 1.7, 3 for 2.x. Others are
/// ErrorCode::unsupported.
Result<unsigned> containerd_config_version(const ReleaseVersion& containerd);

}  // namespace sealift::installer
