/// What one request to the agent tells about a host. Read from /proc, /sys and /etc on the host, without
/// outside programs where files suffice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

struct AddressPort {
  std::string address{};  ///< numeric
  std::uint16_t port = 0;
  friend bool operator==(const AddressPort&, const AddressPort&) = default;
  friend auto operator<=>(const AddressPort&, const AddressPort&) = default;
};

/// What to look for beyond what is always told.
struct FactsRequest {
  std::vector<std::string> packages{};  ///< names whose installed version is wanted
  std::vector<std::string> modules{};   ///< kernel modules whose availability is wanted
  std::vector<std::string> paths{};     ///< whether they exist; an empty file does not
  std::vector<std::string> steps{};     ///< steps whose last word in the journal is wanted
  std::vector<AddressPort> reach{};     ///< TCP connect probes, 2 s each, in parallel
  std::vector<std::string> claims{};    ///< addresses: who in the network answers for them
  /// 0: do not listen. A host whose keepalived has a router id already does not listen either.
  std::uint32_t vrrp_listen_ms = 0;
};

struct DiskFact {
  std::string path{};  ///< as asked; the nearest existing parent was measured
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
};

struct InterfaceAddress {
  std::string interface {};
  std::string address{};  ///< numeric, IPv4 or IPv6
  unsigned prefix = 0;
};

struct InterfaceFact {
  std::string name{};
  std::string mac{};
  bool up = false;
  bool physical = false;  ///< has a device behind it or is the host end of a container's link (eth0)
};

struct RouteFact {
  std::string destination{};  ///< "0.0.0.0/0" is the default route
  std::string gateway{};      ///< empty: on link
  std::string interface {};
};

struct ListenerFact {
  std::string protocol{};  ///< "tcp" or "udp"
  std::string address{};
  std::uint16_t port = 0;
  std::string program{};  ///< empty when not known
  std::uint32_t pid = 0;
};

struct ClaimFact {
  std::string address{};
  bool probed = false;  ///< false: no interface of this host is in its subnet (or it is our own address)
  bool own = false;     ///< this very host has it
  std::string answered_by{};  ///< MAC, or empty: nobody
};

struct VrrpFact {
  std::string source{};
  unsigned router_id = 0;
  unsigned priority = 0;
  unsigned version = 0;
  std::vector<std::string> addresses{};
};

struct ReachFact {
  AddressPort target{};
  bool reachable = false;
  bool refused = false;  ///< the host answered, nobody listens
  std::string error{};
};

struct SwapFact {
  std::string name{};
  std::uint64_t size_bytes = 0;
};

struct Facts {
  std::string hostname{};
  std::map<std::string, std::string> os_release{};  ///< ID, VERSION_ID, PRETTY_NAME, ...
  std::string kernel{};                             ///< "6.1.0-18-amd64"
  std::string kernel_config{};                      ///< where kubeadm finds its configuration, or empty
  std::string machine{};                            ///< uname -m: "x86_64"
  std::string dpkg_architecture{};                  ///< "amd64"; empty without dpkg
  unsigned cpus = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<DiskFact> disks{};  ///< "/", "/var/lib", "/etc/kubernetes"
  std::string product_uuid{};
  std::string machine_id{};
  std::vector<InterfaceFact> interfaces{};
  std::vector<InterfaceAddress> addresses{};
  std::vector<RouteFact> routes{};
  std::string resolv_conf{};               ///< the file that pods will get; empty: there is none
  std::vector<std::string> nameservers{};  ///< in it
  std::vector<SwapFact> swaps{};
  std::vector<std::string> fstab_swaps{};  ///< active swap lines of /etc/fstab
  unsigned cgroup_version = 0;             ///< 1 or 2 (of the hierarchy kubelet would use)
  std::vector<std::string> cgroup_controllers{};
  std::int64_t clock_unix_ns = 0;  ///< at the receipt of the request
  std::vector<ListenerFact> listeners{};
  std::map<std::string, std::string>
      modules{};                                ///< asked ones: "loaded", "builtin", "available" or "missing"
  std::vector<std::string> kubernetes_files{};  ///< of /etc/kubernetes/*.conf, manifests/*,
                                                ///< /var/lib/etcd/member, /var/lib/kubelet/config.yaml
  std::string api_server_version{};             ///< "v1.32.3" by its static pod, or empty
  std::string api_url{};                        ///< "https://10.0.0.100:6443" in admin.conf, or empty
  std::string pod_range{};      ///< "10.244.0.0/16" by the controller manager's static pod, or empty
  std::string service_range{};  ///< by the API server's
  std::map<std::string, std::string>
      runtimes;  ///< "containerd", "docker", "podman", "crio" -> version or "present"
  /// Active: "firewalld", "ufw"; "nftables", "iptables": rules beside those that refuse packets.
  std::vector<std::string> firewalls{};
  std::string selinux{};  ///< "enforcing", "permissive", "disabled" or ""
  bool apparmor = false;
  std::map<std::string, std::string> packages{};  ///< asked ones that are installed -> version
  std::string systemd_version{};                  ///< "252"; empty: not booted with systemd
  bool dhcp = false;                              ///< a lease file of the usual clients exists
  unsigned uid = 0;                               ///< of the agent: 0, or preflight refuses
  std::map<std::string, bool> paths{};
  /// Was asked for, and is there.
  bool has(const std::string& path) const {
    const auto found = paths.find(path);
    return found != paths.end() && found->second;
  }
  std::string journal_cluster_name{};  ///< owner of the host by Sealift's journal; empty: nobody
  std::string journal_cluster_id{};
  std::string journal_error{};  ///< why the journal cannot be read; the owner is not known then
  std::string
      newest_step{};  ///< the last word on the asked steps: "begun", "done", "failed", "undone", or empty
  unsigned router_id = 0;  ///< VRRP router id in /etc/keepalived/keepalived.conf; 0: none
  std::vector<ClaimFact> claims{};
  std::vector<VrrpFact> vrrp{};
  std::vector<ReachFact> reach{};
};

json::Value to_json(const FactsRequest& request);
Result<FactsRequest> facts_request_from_json(const json::Value& value);
json::Value to_json(const Facts& facts);
/// Unknown members are ignored (a newer agent), missing ones keep their defaults; wrong types are errors.
Result<Facts> facts_from_json(const json::Value& value);

/// Those of the host's firewalls whose rules can be added to: "firewalld", "ufw".
std::vector<std::string> manageable_firewalls(const Facts& facts);

/// Gathers everything on this very machine. `root` is put before the paths of files (tests; "" on real
/// hosts). Never fails as a whole: what cannot be read stays empty.
Facts gather_facts(const FactsRequest& request, const std::string& root);

}  // namespace sealift::installer
