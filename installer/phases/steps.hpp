/// Small helpers with which the phases write down their tasks.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "installer/apply/plan.hpp"
#include "installer/plan/site.hpp"

namespace sealift::installer {

/// The steps of one task. Ids are "<phase>/<host>/<name>".
class StepList {
 public:
  StepList(std::string phase, std::string host) : prefix_(phase + "/" + host + "/") {}

  /// Returns the step's id, for restart_on.
  std::string add(const std::string& name, Action action, std::string hint = "");
  std::string id(const std::string& name) const { return prefix_ + name; }
  std::vector<Step> take() { return std::move(steps_); }

 private:
  std::string prefix_;
  std::vector<Step> steps_;
};

/// kubeadm has time limits of its own for everything it waits for, and says which one passed: ours comes
/// after their sum.
inline constexpr std::chrono::minutes kKubeadmPatience{30};

/// kubeadm 1.20 and 1.21 have etcd ask for ephemeral storage. A kubelet that has just started may not know
/// yet how much its host has; it refuses the pod then and never tries again (kubernetes/kubernetes issue
/// 99305). Adds the file that takes the request away, and to `arguments`, of kubeadm init or join, where it
/// lies.
void take_storage_request_from_etcd(const Site& site, StepList& steps, std::vector<std::string>& arguments);

/// A file of the mirror's tree.
Download download(const Site& site, const bundle::FileEntry& file);

/// kubectl with the administrator's rights on a control plane.
std::vector<std::string> kubectl(std::vector<std::string> arguments);

/// Waits until a control plane's own API server says that it is ready; run where kubectl() runs.
WaitFor api_server_ready(const Host& host);

/// The loopback address on which kubeadm has etcd listen, for URLs: "127.0.0.1", or "[::1]" on IPv6 hosts
/// (kubeadm/app/phases/etcd/local.go, getEtcdCommand).
std::string_view etcd_loopback(const Host& host);

/// etcdctl in the etcd pod of `host`, with its own certificates; run where kubectl() runs.
std::vector<std::string> etcdctl(const Host& host, std::vector<std::string> arguments);

/// The same command, put to the leader's own API server. Through the floating address a request may meet the
/// server of a host that is being taken back, which has lost its etcd and answers nobody.
std::vector<std::string> at_leader(const Site& site, std::vector<std::string> kubectl_command);

/// The lines of a program's output that are not empty.
std::vector<std::string> lines_of(const std::string& output);

/// Where the administrator's kubeconfig is put on the deploy host.
std::string kubeconfig_path(const std::string& cluster);

/// The one state that needs a person: etcd took up a member that never started, and waits for it.
inline constexpr const char* kLostQuorum =
    "if the API does not answer either, an interrupted join left an etcd member that never started: on this "
    "host, add --force-new-cluster to /etc/kubernetes/manifests/etcd.yaml, wait until etcd runs, take it out "
    "again, and run the same command";

/// Runs every time it is reached.
inline const std::vector<std::string> kAlways{"false"};

}  // namespace sealift::installer
