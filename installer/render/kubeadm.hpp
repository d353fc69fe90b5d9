/// The documents kubeadm reads, built as values in the API version that the given Kubernetes understands,
/// with the person's `kubeadm:` section merged in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/inventory/cluster.hpp"
#include "installer/render/versions.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// Random, short-lived, for one installation; never on a command line, never logged.
struct JoinSecrets {
  std::string token;            ///< "[a-z0-9]{6}.[a-z0-9]{16}"
  std::string certificate_key;  ///< 64 hex digits: kubeadm encrypts the certificates it hands on with it
  /// The public half of the token: the name of its Secret ends in it.
  std::string token_id() const { return token.substr(0, 6); }
};

/// Fresh ones from the operating system's randomness.
JoinSecrets make_join_secrets();

/// By this the tokens of our joins are known, and deleted when the joins are over.
inline constexpr const char* kTokenDescription = "Sealift: joins of this installation";

/// How long a token and the uploaded certificates are good for.
inline constexpr unsigned kTokenHours = 2;

/// kubeadm's phase that installs the DNS add-on.
inline constexpr std::string_view kDnsPhase = "addon/coredns";

/// For `kubeadm init --config`: Init-, Cluster-, Kubelet- and KubeProxyConfiguration. Holds secrets.
Result<std::string> render_kubeadm_init(const Cluster& cluster, const Host& host,
                                        const ReleaseVersion& kubernetes, const JoinSecrets& secrets);

/// For `kubeadm join --config`. Discovery is by a kubeconfig file at `discovery_file` that holds the whole CA
/// certificate: stronger than its hash, and it need not wait for the token's signature. Holds secrets.
Result<std::string> render_kubeadm_join(const Cluster& cluster, const Host& host,
                                        const ReleaseVersion& kubernetes, const JoinSecrets& secrets,
                                        const std::string& discovery_file);

/// The discovery kubeconfig: endpoint and CA certificate (PEM), no credentials.
std::string render_discovery(const Cluster& cluster, const std::string& ca_pem);

/// The Secret that makes `secrets.token` valid in a running cluster, for `kubectl apply -f -`. `expires`: RFC
/// 3339.
std::string render_token_secret(const JoinSecrets& secrets, const std::string& expires);

/// Names and addresses that the API server's certificate must hold beside kubeadm's own.
std::vector<std::string> certificate_sans(const Cluster& cluster);

}  // namespace sealift::installer
