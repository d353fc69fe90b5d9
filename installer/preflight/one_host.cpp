#include <algorithm>
#include <array>
#include <set>

#include "installer/plan/membership.hpp"
#include "installer/plan/supply.hpp"
#include "installer/preflight/addresses.hpp"
#include "installer/preflight/preflight.hpp"
#include "installer/render/system.hpp"
#include "lib/base/progress.hpp"

namespace sealift::installer {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kGiB = 1U << 30;
/// Who may hold the cluster's ports on its own hosts, as the kernel cuts their names (proc_pid_comm(5)).
constexpr std::array<std::string_view, 7> kOwnPrograms{
    "etcd", "kube-apiserver", "kube-controller", "kube-proxy", "kube-scheduler", "kubelet", "nginx"};

/// Gathers what is wrong with one host.
class HostCheck {
 public:
  HostCheck(const PreflightInput& input, const Host& host, const Facts& facts, std::vector<Finding>& findings)
      : input_(input), host_(host), facts_(facts), findings_(findings) {}

  void run() {
    system();
    resources();
    belonging();
    membership();
    swap();
    addresses();
    names();
    ports();
    reach();
    software();
  }

 private:
  template <typename... Args>
  void add(Severity severity, std::string subject, std::string advice, fmt::format_string<Args...> format,
           Args&&... args) {
    findings_.push_back({severity, host_.name, std::move(subject),
                         fmt::format(format, std::forward<Args>(args)...), std::move(advice)});
  }
  bool ours() const { return facts_.journal_cluster_name == input_.cluster.name; }
  bool balances() const { return input_.cluster.balances(host_); }

  void system();
  void cgroups(const ReleaseVersion& kubernetes);
  void resources();
  void belonging();
  void membership();
  void swap();
  void addresses();
  void default_route(const RouteFact* route);
  void floating_address();
  void names();
  void ports();
  bool will_be_opened(const std::string& address) const;
  void reach();
  void software();

  const PreflightInput& input_;
  const Host& host_;
  const Facts& facts_;
  std::vector<Finding>& findings_;
};

void HostCheck::system() {
  if (facts_.uid != 0)
    add(Severity::error, "root", "log in as root, or let the user's sudo work without a password",
        "the agent runs as user id {}, not as root", facts_.uid);
  if (facts_.systemd_version.empty())
    add(Severity::error, "systemd", "boot the host with systemd", "the host is not running systemd");
  const std::string platform = platform_of(facts_.machine);
  const auto& platforms = input_.contents.platforms;
  if (host_.is_node() && std::find(platforms.begin(), platforms.end(), platform) == platforms.end())
    add(Severity::error, "architecture", "build a bundle with that platform",
        "the host is {}; the bundle is for {}", facts_.machine, fmt::join(platforms, ", "));
  if (!input_.contents.package_sets.empty() && find_package_set(input_.contents, facts_) == nullptr) {
    std::vector<std::string> targets;
    for (const auto& set : input_.contents.package_sets) targets.push_back(set.target);
    add(Severity::error, "operating-system", "add a package set for it to bundle.yaml",
        "the host runs {}; the bundle has packages for {}", package_target(facts_), fmt::join(targets, ", "));
  }
  const auto kernel = ReleaseVersion::parse(facts_.kernel);
  const auto kubernetes = ReleaseVersion::parse(input_.contents.kubernetes_version);
  if (kernel && *kernel < ReleaseVersion{3, 10, 0})
    add(Severity::error, "kernel", "update the kernel", "Linux {} is too old: 3.10 is the least",
        facts_.kernel);
  else if (kernel && kubernetes && *kubernetes >= ReleaseVersion{1, 32, 0} &&
           *kernel < ReleaseVersion{4, 19, 0})
    // kubeadm 1.32 and 1.33 refuse it, later ones warn (kubernetes/system-validators 1.9 and 1.10.1).
    add(kubernetes->minor < 34 ? Severity::error : Severity::warning, "kernel", "update the kernel",
        "Linux {} is older than the 4.19 that Kubernetes {} asks for", facts_.kernel, kubernetes->str());
  if (host_.is_node() && facts_.kernel_config.empty())
    add(Severity::error, "kernel-config", "install the distribution's whole kernel package, which brings it",
        "there is no /boot/config-{} nor /proc/config.gz: kubeadm insists on reading the kernel's "
        "configuration",
        facts_.kernel);
  if (host_.is_node() && kubernetes) cgroups(*kubernetes);
  for (const auto& [name, state] : facts_.modules)
    if (state == "missing")
      add(Severity::error, "kernel-module", "install the distribution's full kernel package",
          "the kernel module {} is not to be had for Linux {}", name, facts_.kernel);
}

void HostCheck::cgroups(const ReleaseVersion& kubernetes) {
  if (facts_.cgroup_version == 1 && kubernetes >= ReleaseVersion{1, 35, 0})
    add(Severity::error, "cgroup",
        "boot with systemd.unified_cgroup_hierarchy=1, or take an older Kubernetes",
        "the host uses cgroup v1, which Kubernetes {} refuses", kubernetes.str());
  if (facts_.cgroup_controllers.empty()) return;
  // What kubeadm requires (kubernetes/system-validators, cgroup_validator_linux.go).
  std::vector<std::string_view> required{"cpu", "cpuset", "memory", "pids"};
  if (facts_.cgroup_version == 1) required.insert(required.end(), {"cpuacct", "devices", "freezer"});
  for (const std::string_view controller : required)
    if (std::find(facts_.cgroup_controllers.begin(), facts_.cgroup_controllers.end(), controller) ==
        facts_.cgroup_controllers.end())
      add(Severity::error, "cgroup", "enable it on the kernel's command line",
          "the cgroup controller '{}' is not enabled", controller);
}

void HostCheck::resources() {
  struct Minimum {
    unsigned cpus;
    std::uint64_t memory;
  };
  // kubeadm's own limits for control planes; memory a little below the round figure, as firmware keeps some.
  const Minimum minimum = host_.has(Role::control_plane) ? Minimum{2, 1700 * kMiB}
                          : host_.is_node()              ? Minimum{1, 900 * kMiB}
                                                         : Minimum{1, 400 * kMiB};
  if (facts_.cpus != 0 && facts_.cpus < minimum.cpus)
    add(Severity::error, "cpu", "give it more", "{} CPU, needed are {}", facts_.cpus, minimum.cpus);
  if (facts_.memory_bytes != 0 && facts_.memory_bytes < minimum.memory)
    add(Severity::error, "memory", "give it more", "{} of memory, needed are {}",
        format_bytes(facts_.memory_bytes), format_bytes(minimum.memory));
  if (!host_.is_node()) return;
  // Compressed layers, their unpacked form, programs and packages, and room for etcd and logs.
  std::uint64_t images = 0;
  if (const auto names = images_for(input_.contents, host_))
    for (const std::string& name : *names)
      if (const auto* image = input_.contents.find_image(name); image != nullptr) images += image->size;
  const std::uint64_t needed = kGiB + 4 * images;
  for (const DiskFact& disk : facts_.disks) {
    if (disk.path != "/var/lib" || facts_.has("/etc/kubernetes/sealift/member")) continue;
    if (disk.free_bytes < needed)
      add(Severity::error, "disk", "free some space or enlarge the disk",
          "{} free disk space below {}, needed are {}", format_bytes(disk.free_bytes), disk.path,
          format_bytes(needed));
    else if (disk.free_bytes < 10 * kGiB)
      add(Severity::warning, "disk", "",
          "only {} free disk space below {}: the cluster fits, little else does",
          format_bytes(disk.free_bytes), disk.path);
  }
}

void HostCheck::belonging() {
  if (!facts_.journal_error.empty()) {
    add(Severity::error, "journal", "bring that file back from a copy; the host may well be a healthy member",
        "what Sealift did here cannot be read: {}", facts_.journal_error);
    return;
  }
  if (!facts_.journal_cluster_name.empty() && !ours())
    add(Severity::error, "other-cluster",
        "take it out of cluster.yaml, or free it first (docs/installing.md, \"Taking a host out\")",
        "the host belongs to another cluster, '{}' (id {})", facts_.journal_cluster_name,
        facts_.journal_cluster_id);
  else if (!facts_.kubernetes_files.empty() && !ours())
    add(Severity::error, "other-cluster",
        "it belongs to a cluster that Sealift did not make; `kubeadm reset` it if that cluster is gone",
        "the host already holds the state of another Kubernetes cluster ({})",
        fmt::join(facts_.kubernetes_files, ", "));
  if (balances() && !ours() && facts_.has("/etc/keepalived/keepalived.conf"))
    add(Severity::error, "keepalived", "move it away, or balance on other hosts (role load-balancer)",
        "/etc/keepalived/keepalived.conf is there already and not Sealift's");
  if (host_.is_node() && !ours() && facts_.has("/etc/containerd/config.toml"))
    add(Severity::warning, "containerd", "",
        "/etc/containerd/config.toml is there already; it is kept as a backup and replaced");
}

/// What runs here already must be whole, and of the version that the bundle has: `install` repairs nothing it
/// did not begin, and it does not upgrade.
void HostCheck::membership() {
  const Membership found = find_membership(input_.cluster, {{host_.name, facts_}});
  if (const auto damaged = found.damaged.find(host_.name); damaged != found.damaged.end() && ours())
    add(Severity::error, "member",
        "bring the file back; or, to have the host made anew, run `kubeadm reset -f` on it",
        "the host is a member of the cluster, but {} is missing", damaged->second);
  if (!found.has(host_)) return;
  if (facts_.api_server_version.empty() || facts_.api_server_version == input_.contents.kubernetes_version)
    return;
  add(Severity::error, "kubernetes-version",
      "give the bundle of that version as well, as the last --bundle; `install` does not upgrade",
      "the host runs Kubernetes {}; the bundle is for {}", facts_.api_server_version,
      input_.contents.kubernetes_version);
}

void HostCheck::swap() {
  if (!host_.is_node()) return;
  if (facts_.swaps.empty()) {
    // What is off already is kept off without asking: the kubelet would not start after the next boot.
    if (!facts_.fstab_swaps.empty())
      add(Severity::change, "swap", "",
          "swap is off; lines of /etc/fstab that would turn it on again are commented out: {}",
          fmt::join(facts_.fstab_swaps, "; "));
    return;
  }
  std::vector<std::string> names;
  for (const SwapFact& swap : facts_.swaps) names.push_back(swap.name);
  if (input_.swap_off)
    add(Severity::change, "swap", "", "swap is on ({}) and will be turned off now and for the next boots",
        fmt::join(names, ", "));
  else
    add(Severity::error, "swap",
        "turn it off (swapoff -a and the line in /etc/fstab), or run with --swap-off to have Sealift do it",
        "swap is on ({}); the kubelet needs it off", fmt::join(names, ", "));
}

void HostCheck::addresses() {
  if (!find_address(facts_, host_.address)) {
    std::vector<std::string> own;
    for (const InterfaceAddress& entry : facts_.addresses)
      if (const auto address = IpAddress::parse(entry.address); address && !address->is_loopback())
        own.push_back(entry.address);
    add(Severity::error, "address",
        "write the address that the host itself has; address translation is not supported",
        "no interface of the host has the address {}; it has {}", host_.address.str(), fmt::join(own, ", "));
  }
  if (balances()) floating_address();
  const bool v6 = host_.address.is_v6();
  const auto route = std::find_if(facts_.routes.begin(), facts_.routes.end(), [&](const RouteFact& entry) {
    return entry.destination == (v6 ? "::/0" : "0.0.0.0/0");
  });
  if (host_.is_node()) default_route(route == facts_.routes.end() ? nullptr : &*route);
  if (facts_.dhcp)
    add(Severity::warning, "dhcp", "make sure that the address never changes",
        "an address of the host may come from DHCP");
}

/// flanneld that is not told --iface takes the interface of the default route, and gives up without one
/// (flannel, pkg/ipmatch/match.go).
void HostCheck::default_route(const RouteFact* route) {
  const auto manifest = input_.manifests.find(input_.cluster.network.plugin);
  const bool decides = manifest != input_.manifests.end() &&
                       manifest->second.find("flanneld") != std::string::npos &&
                       manifest->second.find("--iface") == std::string::npos;
  const std::string own = "in a manifest of your own, give flanneld --iface or --iface-can-reach";
  if (route == nullptr && decides)
    add(Severity::error, "default-route", "add a default route to any gateway, or, " + own,
        "there is no default route: flannel, which takes its network interface from it, would not start");
  else if (route == nullptr)
    add(Severity::warning, "default-route", "a default route to any gateway cures that",
        "there is no default route: programs on the host's own network cannot reach Service addresses");
  else if (const auto address = find_address(facts_, host_.address);
           decides && address && address->interface != route->interface)
    add(Severity::warning, "default-route", own,
        "flannel will carry the pods' traffic over {}, where the default route leads, not over {}, which has "
        "{}",
        route->interface, address->interface, host_.address.str());
}

void HostCheck::floating_address() {
  const IpAddress& address = input_.cluster.endpoint.address;
  const std::string& wanted = input_.cluster.endpoint.interface;
  if (!wanted.empty() && std::none_of(facts_.interfaces.begin(), facts_.interfaces.end(),
                                      [&](const InterfaceFact& entry) { return entry.name == wanted; })) {
    add(Severity::error, "endpoint-interface", "correct endpoint.interface",
        "there is no network interface '{}'", wanted);
    return;
  }
  if (find_subnet(facts_, address, wanted)) return;
  std::vector<std::string> subnets;
  for (const InterfaceAddress& entry : facts_.addresses)
    if (const auto own = IpAddress::parse(entry.address);
        own && !own->is_loopback() && (wanted.empty() || entry.interface == wanted))
      subnets.push_back(fmt::format("{}/{}", entry.address, entry.prefix));
  add(Severity::error, "endpoint-subnet", "choose a free address in the hosts' own network",
      "the endpoint's address {} is in none of the networks of {} ({})", address.str(),
      wanted.empty() ? "the host" : wanted, fmt::join(subnets, ", "));
}

void HostCheck::names() {
  if (facts_.hostname != host_.name)
    add(Severity::warning, "hostname", "the node is called as in cluster.yaml all the same",
        "the host calls itself '{}', cluster.yaml calls it '{}'", facts_.hostname, host_.name);
  if (!host_.is_node() || !input_.cluster.dns) return;
  const auto& servers = facts_.nameservers;
  if (servers.empty()) {
    add(Severity::error, "nameserver",
        "give it a nameserver line, or leave the DNS add-on out with dns: {enabled: false}",
        "{} has no nameserver: the DNS add-on would not start",
        facts_.resolv_conf.empty() ? "/etc/resolv.conf" : facts_.resolv_conf);
  } else if (std::all_of(servers.begin(), servers.end(), [](const std::string& server) {
               return server.starts_with("127.") || server == "::1";
             })) {
    add(Severity::error, "nameserver", "name the real servers in it",
        "{} leads back to the host itself ({}): the DNS add-on would ask itself", facts_.resolv_conf,
        fmt::join(servers, ", "));
  }
}

void HostCheck::ports() {
  if (!facts_.journal_error.empty()) return;
  std::set<std::uint16_t> needed;
  if (host_.has(Role::control_plane)) needed.insert({6443, 2379, 2380, 2381, 10257, 10259});
  if (host_.is_node()) needed.insert({10250, 10248});
  // In a running cluster another program may have taken kube-proxy's place.
  if (host_.is_node() && !ours()) needed.insert({10256, 10249});
  if (balances()) needed.insert(input_.cluster.endpoint.port);
  // What we run ourselves holds its ports on hosts that we began or finished.
  const auto is_own = [&](const std::string& program) {
    return program.empty() ||
           std::find(kOwnPrograms.begin(), kOwnPrograms.end(), program) != kOwnPrograms.end();
  };
  for (const ListenerFact& listener : facts_.listeners)
    if (listener.protocol.starts_with("tcp") && needed.contains(listener.port) &&
        !(ours() && is_own(listener.program)))
      add(Severity::error, "port", "stop it, or take another host", "port {} is in use by {}", listener.port,
          listener.program.empty() ? "another program" : listener.program);
}

/// Will the installation open the firewall of the host with that address? The deploy host's is the mirror's.
bool HostCheck::will_be_opened(const std::string& address) const {
  if (!input_.cluster.firewall) return false;
  std::string name = input_.deploy;
  for (const Host& host : input_.cluster.hosts)
    if (host.address.str() == address) name = host.name;
  const auto found = input_.hosts.find(name);
  return found != input_.hosts.end() && !manageable_firewalls(found->second.facts).empty();
}

void HostCheck::reach() {
  for (const ReachFact& fact : facts_.reach)
    if (!fact.reachable && !fact.refused && !will_be_opened(fact.target.address))
      add(Severity::error, "reach", "open the port between the hosts (docs/installing.md lists them all)",
          "cannot reach {} port {} ({})", fact.target.address, fact.target.port, fact.error);
}

void HostCheck::software() {
  if (host_.is_node() && facts_.runtimes.contains("docker"))
    add(Severity::warning, "docker",
        "remove it if nothing else needs it: it sets the FORWARD policy to DROP and fights over iptables",
        "docker is installed ({})", facts_.runtimes.at("docker"));
  check_firewalls(input_, host_.name, facts_, findings_);
  if (facts_.selinux == "enforcing")
    add(Severity::warning, "selinux", "", "SELinux is enforcing; this was not tried");
}

}  // namespace

void check_one_host(const PreflightInput& input, const Host& host, const Facts& facts,
                    std::vector<Finding>& findings) {
  HostCheck(input, host, facts, findings).run();
  check_host_supply(input, host, facts, findings);
}

}  // namespace sealift::installer
