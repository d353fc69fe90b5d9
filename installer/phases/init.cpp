#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kInitConfig = "/etc/kubernetes/sealift/kubeadm-init.yaml";

/// What must be over before the first control plane starts.
std::vector<std::string> waits_for(const Site& site) {
  std::vector<std::string> after;
  for (const Host* host : site.cluster.balancers()) after.push_back("balancer/" + host->name);
  // Every node must have pulled from the mirror: found out now, not by a pod that never starts.
  for (const Host* host : site.cluster.nodes()) after.push_back("runtime/" + host->name + "/sandbox");
  after.push_back("runtime/" + site.membership.leader + "/images");
  return after;
}

void add_first_control_plane(const Site& site, StepList& steps, const std::string& config) {
  steps.add("unmark", RemovePath{kMemberMark});
  steps.add("config", WriteFile{kInitConfig, config, 0600, Secrecy::secret});
  if (site.cluster.endpoint.mode != EndpointMode::external)
    steps.add("address",
              WaitFor{TcpReachable{site.cluster.endpoint.address.str(), site.cluster.endpoint.port},
                      std::chrono::seconds(60)},
              "no balancer took the API address: journalctl -u keepalived on the balancers; VRRP (IP "
              "protocol 112) must "
              "pass between them");
  std::vector<std::string> arguments{"kubeadm", "init", std::string("--config=") + kInitConfig,
                                     "--upload-certs"};
  take_storage_request_from_etcd(site, steps, arguments);
  if (!site.cluster.dns) {
    // Where the file can say it, the flag would make kubeadm overlook what else the file skips.
    if (kubeadm_api(site.kubernetes) == KubeadmApi::v1beta2)
      arguments.push_back(fmt::format("--skip-phases={}", kDnsPhase));
    arguments.emplace_back("--ignore-preflight-errors=ImagePull");
  }
  steps.add("kubeadm",
            Run{.arguments = std::move(arguments),
                .creates = kMemberMark,
                .mark = site.cluster_id + "\n",
                .timeout = kKubeadmPatience,
                .redact = {site.secrets.token, site.secrets.certificate_key}},
            "the same command continues: it takes back the half-made control plane on this host and starts "
            "it again");
}

/// The cluster runs, but hosts are missing: new credentials for them, valid for two hours.
Status add_credentials(const Site& site, StepList& steps, const std::string& config) {
  const std::string expires = format_rfc3339(now() + std::chrono::hours(kTokenHours));
  steps.add("config", WriteFile{kInitConfig, config, 0600, Secrecy::secret});
  steps.add("token", Run{.arguments = at_leader(site, kubectl({"apply", "-f", "-"})),
                         .input = render_token_secret(site.secrets, expires),
                         .input_secrecy = Secrecy::secret,
                         .check = kAlways,
                         .redact = {site.secrets.token}});
  steps.add("certificates", Run{.arguments = {"kubeadm", "init", "phase", "upload-certs", "--upload-certs",
                                              std::string("--config=") + kInitConfig},
                                .check = kAlways,
                                .redact = {site.secrets.token, site.secrets.certificate_key}});
  return {};
}

bool somebody_is_pending(const Site& site) {
  for (const Host* host : site.cluster.nodes())
    if (site.is_pending(*host)) return true;
  return false;
}

}  // namespace

Status add_init(const Site& site, Plan& plan) {
  const Host& leader = *site.cluster.find(site.membership.leader);
  const std::vector<std::string> after = add_take_back(site, waits_for(site), plan);
  StepList steps("init", leader.name);
  if (somebody_is_pending(site)) {
    TRY_ASSIGN(const std::string config,
               render_kubeadm_init(site.cluster, leader, site.kubernetes, site.secrets));
    if (site.membership.initialised)
      TRY(add_credentials(site, steps, config));
    else
      add_first_control_plane(site, steps, config);
  }
  steps.add("forget", RemovePath{kInitConfig});
  steps.add("ca", ReadFile{"/etc/kubernetes/pki/ca.crt"});
  plan.tasks.push_back({.id = "init/" + leader.name,
                        .phase = "init",
                        .host = leader.name,
                        .after = after,
                        .steps = steps.take()});
  return {};
}

}  // namespace sealift::installer
