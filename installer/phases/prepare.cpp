#include <algorithm>

#include "installer/phases/firewall.hpp"
#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"
#include "installer/plan/supply.hpp"
#include "installer/render/system.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kForeignWebServer = "/etc/sealift/foreign-nginx";
/// Before any package: an interrupted run must still know that what it finds afterwards is ours.
constexpr const char* kPackagesBegun = "/etc/sealift/packages-begun";

/// Was nginx there before us? Then its service stays as it is.
bool has_own_web_server(const Facts& facts) {
  const bool installed = facts.packages.contains("nginx") || facts.packages.contains("nginx-light") ||
                         facts.packages.contains("nginx-core");
  return facts.has(kForeignWebServer) || (installed && !facts.has(kPackagesBegun));
}

void add_kernel(const Site& site, const Host& host, StepList& steps) {
  if (site.swap_off || site.of(host).swaps.empty()) steps.add("swap", SwapOff{});
  steps.add("modules", KernelModules{"/etc/modules-load.d/sealift.conf", node_modules(site.cluster)},
            "the running kernel lacks a module: install the full kernel package of the distribution");
  steps.add("sysctl", Sysctl{"/etc/sysctl.d/95-sealift.conf", node_sysctls(site.cluster)});
}

/// chrony where the bundle brings it; a timesyncd that was there asks the same servers.
Status add_time(const Site& site, const Host& host, bool brings_chrony, StepList& steps) {
  const TimeRole role = time_role(site.cluster, host);
  if (keeps_timesyncd(site.of(host)) && !role.sources.empty()) {
    const std::string config = steps.add(
        "timesyncd",
        WriteFile{"/etc/systemd/timesyncd.conf.d/10-sealift.conf",
                  fmt::format("# Written by Sealift.\n[Time]\nNTP={}\n", fmt::join(role.sources, " "))});
    steps.add("time", SystemdUnit{.unit = "systemd-timesyncd.service", .restart_on = {config}});
  }
  if (!brings_chrony) return {};
  TRY_ASSIGN(std::string chrony, render_chrony(site.cluster.name, role));
  const std::string config = steps.add("chrony", WriteFile{"/etc/chrony/chrony.conf", std::move(chrony)});
  steps.add("time", SystemdUnit{.unit = "chrony.service", .restart_on = {config}});
  return {};
}

Status add_packages(const Site& site, const Host& host, StepList& steps) {
  const Facts& facts = site.of(host);
  TRY_ASSIGN(std::vector<Package> packages, packages_for(site.contents, facts, site.cluster, host));
  if (packages.empty()) return {};
  const bool brings_nginx = has_package(packages, "nginx") || has_package(packages, "nginx-light");
  const bool brings_chrony = has_package(packages, "chrony");
  steps.add(
      "packages",
      InstallPackages{.repository_urls = {site.mirror.repository_url() + "/apt/" + package_target(facts)},
                      .key = site.repository_key,
                      .packages = std::move(packages)},
      "nothing was installed; the log of this host has apt's own words");
  // Debian enables the packaged service; the balancer has a unit of its own.
  if (brings_nginx && !has_own_web_server(facts))
    steps.add("packaged-nginx",
              SystemdUnit{.unit = "nginx.service", .enabled = Wanted::no, .active = Wanted::no});
  return add_time(site, host, brings_chrony, steps);
}

}  // namespace

Status add_prepare(const Site& site, Plan& plan) {
  for (const Host& host : site.cluster.hosts) {
    StepList steps("prepare", host.name);
    steps.add("own-directory", MakeDirectory{"/etc/sealift", 0755});
    if (has_own_web_server(site.of(host)))
      steps.add("foreign-nginx", WriteFile{kForeignWebServer, "nginx was here before Sealift\n"});
    steps.add("packages-begun",
              WriteFile{kPackagesBegun, "programs that came after this file are Sealift's\n"});
    steps.add("hosts", FileBlock{"/etc/hosts", "hosts", render_hosts_block(site.cluster)});
    if (site.of(host).has(kCloudInitHosts))
      steps.add("cloud-init-hosts", FileBlock{kCloudInitHosts, "hosts", render_hosts_block(site.cluster)});
    if (site.cluster.firewall) TRY(open_firewalls(site.of(host), host_firewall(site.cluster, host), steps));
    if (host.is_node()) add_kernel(site, host, steps);
    TRY(add_packages(site, host, steps));
    plan.tasks.push_back({.id = "prepare/" + host.name,
                          .phase = "prepare",
                          .host = host.name,
                          .after = {"mirror/" + site.deploy},
                          .steps = steps.take()});
  }
  return {};
}

}  // namespace sealift::installer
