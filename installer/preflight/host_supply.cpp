#include <algorithm>

#include "installer/plan/membership.hpp"
#include "installer/plan/supply.hpp"
#include "installer/preflight/preflight.hpp"
#include "installer/render/system.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kIntoPackageSet = "add it to the package set in bundle.yaml";

/// What of a host's supply comes with the bundle, and what is there already.
class HostSupply {
 public:
  HostSupply(const PreflightInput& input, const Host& host, const Facts& facts,
             std::vector<Finding>& findings)
      : input_(input), host_(host), facts_(facts), findings_(findings) {
    // What runs already runs without what lacks here, and a later run takes nothing away.
    const bool runs = find_membership(input.cluster, {{host.name, facts}}).has(host) ||
                      (facts.journal_cluster_name == input.cluster.name && facts.has(kBalancerConfig));
    if (runs) lacking_ = Severity::warning;
  }

  void check() {
    for (const char* name : {"ntp", "ntpsec", "openntpd"})
      if (installed(name))
        add(Severity::error, "time", fmt::format("the time daemon {} is installed and bars chrony", name),
            "remove it; chrony takes its place");
    const auto packages = packages_for(input_.contents, facts_, input_.cluster, host_);
    if (!packages) {
      add(Severity::error, "package", packages.error().message(), "");
      return;
    }
    // Another finding says that the bundle has nothing for this system.
    if (find_package_set(input_.contents, facts_) == nullptr && !input_.contents.package_sets.empty()) return;
    if (input_.cluster.balances(host_)) balancer(*packages);
    if (host_.is_node()) runtime();
    time(*packages);
  }

 private:
  void add(Severity severity, std::string subject, std::string message, std::string advice) {
    findings_.push_back({severity, host_.name, std::move(subject), std::move(message), std::move(advice)});
  }
  bool installed(const char* name) const { return facts_.packages.contains(name); }

  /// Among the packages for this host's system, asked for or needed by one that is.
  bool bundled(std::string_view name) const {
    const auto* set = find_package_set(input_.contents, facts_);
    return set != nullptr &&
           std::any_of(set->packages.begin(), set->packages.end(), [&](const auto& package) {
             return package.name == name &&
                    (package.architecture == facts_.dpkg_architecture || package.architecture == "all");
           });
  }
  bool has_role(const char* role) const {
    return input_.contents.find_role(role, platform_of(facts_.machine)) != nullptr;
  }

  void balancer(const std::vector<Package>& packages) {
    const auto there = [&](const char* name) { return has_package(packages, name) || installed(name); };
    for (const char* name : {"keepalived", "nginx", "libnginx-mod-stream"})
      if (!there(name) && !(std::string_view(name) == "nginx" && there("nginx-light")))
        add(Severity::error, "package",
            fmt::format("the balancer needs {}, which is neither installed nor in the bundle", name),
            kIntoPackageSet);
  }

  void runtime() {
    const auto there = [&](const char* name) { return bundled(name) || installed(name); };
    if (!has_role("runc") && !there("runc") && !there("containerd.io"))
      add(lacking_, "program", "containerd needs runc, which is neither installed nor in the bundle",
          "add it to components: or to the package set in bundle.yaml");
    // Not kubernetes-cni: without a release of the plugins /opt/cni/bin becomes a link to where Debian's
    // package has them (phases/runtime.cpp).
    if (!has_role("cni-plugins") && !there("containernetworking-plugins"))
      add(lacking_, "program",
          "the pod network needs the CNI plugins, which are neither installed nor in the bundle",
          "add components: {cni-plugins: ...} or the package containernetworking-plugins to bundle.yaml");
  }

  /// By the same rules as the phase prepare: chrony is given its servers where the bundle brings it, a
  /// timesyncd that stays where any packages come.
  void time(const std::vector<Package>& packages) {
    const TimeRole role = time_role(input_.cluster, host_);
    const bool keeps = keeps_timesyncd(facts_);
    if (keeps && !role.clients.empty()) {
      add(Severity::error, "time",
          "the host is to serve time to the others with chrony, but systemd-timesyncd is installed, which "
          "cannot serve",
          "name time servers (time: {servers: [...]}), or remove the package systemd-timesyncd from it");
      return;
    }
    const bool asks_nobody = role.sources.empty() && role.clients.empty();
    if (asks_nobody || has_package(packages, "chrony") || (keeps && !packages.empty())) return;
    if (!role.clients.empty())
      add(lacking_, "time",
          "the host is to serve time to the others, but the bundle brings no chrony for it, and Sealift sets "
          "up "
          "no other",
          "add chrony to the package set in bundle.yaml, or name time servers (time: {servers: [...]})");
    else if (installed("chrony") || keeps)
      add(Severity::warning, "time",
          fmt::format("{} stays with its own settings, as the bundle brings no chrony",
                      keeps ? "systemd-timesyncd" : "chrony"),
          fmt::format("see that it asks {}", fmt::join(role.sources, ", ")));
    else
      add(lacking_, "time", "nothing would set the clock: chrony is neither installed nor in the bundle",
          kIntoPackageSet);
  }

  const PreflightInput& input_;
  const Host& host_;
  const Facts& facts_;
  std::vector<Finding>& findings_;
  Severity lacking_ = Severity::error;
};

}  // namespace

void check_host_supply(const PreflightInput& input, const Host& host, const Facts& facts,
                       std::vector<Finding>& findings) {
  HostSupply(input, host, facts, findings).check();
}

}  // namespace sealift::installer
