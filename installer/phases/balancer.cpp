#include "installer/render/balancer.hpp"

#include "installer/phases/phases.hpp"
#include "installer/phases/serving.hpp"
#include "installer/phases/steps.hpp"
#include "installer/preflight/addresses.hpp"

namespace sealift::installer {
namespace {

Result<std::string> keepalived_text(const Site& site, const Host& host, std::size_t rank,
                                    const std::vector<const Host*>& balancers) {
  KeepalivedSettings settings;
  settings.cluster = site.cluster.name;
  settings.host = host.name;
  settings.interface = floating_interface(site.cluster, site.of(host));
  settings.address = host.address;
  for (const Host* other : balancers)
    if (other->name != host.name) settings.peers.push_back(other->address);
  settings.router_id = site.router_id;
  settings.priority = keepalived_priority(rank, balancers.size());
  settings.floating = site.cluster.endpoint.address;
  return render_keepalived(settings);
}

}  // namespace

Status add_balancer(const Site& site, Plan& plan) {
  const auto balancers = site.cluster.balancers();
  for (std::size_t rank = 0; rank < balancers.size(); ++rank) {
    const Host& host = *balancers[rank];
    StepList steps("balancer", host.name);
    TRY(add_nginx(site, {}, steps));
    TRY_ASSIGN(std::string config, keepalived_text(site, host, rank, balancers));
    TRY_ASSIGN(std::string dropin, render_keepalived_dropin());
    const std::string config_id =
        steps.add("keepalived", WriteFile{"/etc/keepalived/keepalived.conf", std::move(config), 0644});
    steps.add("keepalived-valid",
              Run{.arguments = {"keepalived", "-t", "-f", "/etc/keepalived/keepalived.conf"},
                  .restart_on = {config_id}});
    const std::string dropin_id =
        steps.add("keepalived-order",
                  WriteFile{"/etc/systemd/system/keepalived.service.d/10-sealift.conf", std::move(dropin)});
    // All balancers get their new peers at the same time: a restart would leave nobody with the address.
    steps.add("keepalived-service",
              SystemdUnit{.unit = "keepalived.service", .restart_on = {dropin_id}, .reload_on = {config_id}},
              "journalctl -u keepalived on the host");
    plan.tasks.push_back({.id = "balancer/" + host.name,
                          .phase = "balancer",
                          .host = host.name,
                          .lane = "balancer",
                          .after = {"prepare/" + host.name},
                          .steps = steps.take()});
  }
  return {};
}

}  // namespace sealift::installer
