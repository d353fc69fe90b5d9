#include <algorithm>

#include "installer/plan/open_site.hpp"
#include "installer/render/balancer.hpp"

namespace sealift::installer {
namespace {

/// VRRP router ids that others in the network use; our own balancers' adverts do not count.
std::vector<unsigned> foreign_router_ids(const Cluster& cluster, const std::map<std::string, Facts>& facts) {
  std::vector<unsigned> ids;
  for (const auto& [name, host_facts] : facts)
    for (const VrrpFact& vrrp : host_facts.vrrp)
      if (std::none_of(cluster.hosts.begin(), cluster.hosts.end(),
                       [&](const Host& host) { return host.address.str() == vrrp.source; }))
        ids.push_back(vrrp.router_id);
  return ids;
}

/// The one in cluster.yaml; else the one the balancers have, as another would cost them the address for a
/// moment; else a free one.
unsigned router_id_of(const Cluster& cluster, const std::map<std::string, Facts>& facts) {
  if (cluster.endpoint.virtual_router_id) return *cluster.endpoint.virtual_router_id;
  for (const Host* host : cluster.balancers())
    if (const auto found = facts.find(host->name); found != facts.end() && found->second.router_id != 0)
      return found->second.router_id;
  return choose_router_id(cluster.endpoint.address, foreign_router_ids(cluster, facts));
}

/// Its root digest, and what tells a file that was replaced or signed since from the one that was there.
std::string state_of(const bundle::VerifiedBundle& bundle) {
  const bundle::FileIdentity& identity = bundle.file().identity();
  return fmt::format("{} inode {} mtime {}", bundle.file().root_digest().str(), identity.inode,
                     identity.mtime_ns);
}

Result<std::string> choose_cluster_id(const Cluster& cluster, const std::map<std::string, Facts>& facts) {
  const fs::path file = cluster_directory(cluster.name) / "id";
  std::string own;
  std::error_code error;
  if (fs::exists(file, error)) {
    TRY_ASSIGN(own, read_file(file, 1024));
    while (!own.empty() && own.back() == '\n') own.pop_back();
  }
  TRY_ASSIGN(std::string id, find_cluster_id(cluster, facts, own));
  return id.empty() ? to_hex(as_bytes(random_bytes(16))) : id;
}

}  // namespace

Result<Site> make_site(const OpenedSite& opened, const std::map<std::string, HostReport>& reports,
                       std::string ca_pem) {
  Site site;
  site.cluster = opened.cluster;
  site.contents = opened.contents;
  TRY_ASSIGN(site.kubernetes, ReleaseVersion::parse(opened.contents.kubernetes_version));
  site.repository_key = opened.repository_key;
  for (const auto& [name, report] : reports) site.facts[name] = report.facts;
  site.deploy = opened.deploy;
  site.mirror.address = opened.mirror_address.bracketed();
  site.mirror.ca_pem = std::move(ca_pem);
  std::error_code error;
  site.mirror.program =
      fs::canonical(opened.agent.empty() ? fs::path("/proc/self/exe") : fs::path(opened.agent), error)
          .string();
  if (error) return fail(ErrorCode::io, "cannot find the own program: {}", error.message());
  for (const auto& bundle : opened.bundles) {
    site.mirror.bundles.push_back(bundle->file().path().string());
    site.mirror.bundles_state += (site.mirror.bundles_state.empty() ? "" : ", ") + state_of(*bundle);
  }
  site.mirror.keys = opened.keys;
  site.mirror.threshold = opened.threshold;
  site.membership = find_membership(opened.cluster, site.facts);
  TRY_ASSIGN(site.cluster_id, choose_cluster_id(opened.cluster, site.facts));
  site.secrets = make_join_secrets();
  site.router_id = router_id_of(opened.cluster, site.facts);
  site.swap_off = opened.swap_off;
  return site;
}

}  // namespace sealift::installer
