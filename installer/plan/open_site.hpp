/// From the files a person names to a site that can be looked at: cluster.yaml, verified bundles, sessions.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "installer/apply/sessions.hpp"
#include "installer/inventory/cluster.hpp"
#include "installer/plan/site.hpp"
#include "installer/preflight/preflight.hpp"
#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/verify.hpp"

namespace sealift::installer {

/// What the commands are given.
struct SiteFiles {
  std::string cluster = "cluster.yaml";
  std::vector<std::string> bundles;
  std::vector<std::string> keys;
  unsigned threshold = 1;
  std::string agent;  ///< static program for the hosts; empty: this program
  bool swap_off = false;
};

/// The files, read and verified; no host has been spoken to.
struct OpenedSite {
  Cluster cluster;
  std::vector<std::shared_ptr<const bundle::VerifiedBundle>> bundles;
  bundle::Contents contents;                     ///< of all bundles together
  std::map<std::string, std::string> manifests;  ///< name -> text
  std::string repository_key;
  std::vector<SigningKey> keys;
  unsigned threshold = 1;
  std::string deploy;        ///< name of this machine in the plan
  IpAddress mirror_address;  ///< of this machine, as the hosts reach it
  std::string agent;
  bool swap_off = false;
};

Result<OpenedSite> open_site(const SiteFiles& files);

/// Reads only cluster.yaml.
Result<Cluster> read_cluster(const std::string& path);

/// Speaks to all hosts of the inventory at once, and to this machine under the name `deploy` when it is not
/// empty. One error names all that cannot be reached.
Result<Sessions> connect_hosts(const Cluster& cluster, const std::string& deploy, const std::string& agent);

/// Asks all hosts at once.
Result<std::map<std::string, HostReport>> ask_hosts(const OpenedSite& opened, const Sessions& sessions);

/// What is wrong; see preflight.hpp.
std::vector<Finding> look_at(const OpenedSite& opened, const std::map<std::string, HostReport>& reports);

/// Puts together what the plan is made of. `ca_pem`: of the mirror, may be empty in a dry run.
Result<Site> make_site(const OpenedSite& opened, const std::map<std::string, HostReport>& reports,
                       std::string ca_pem);

/// Where this machine remembers a cluster: "/var/lib/sealift/clusters/<name>".
fs::path cluster_directory(const std::string& cluster);

/// This machine's address that packets to `target` leave from.
Result<IpAddress> local_address_towards(const IpAddress& target);
/// All addresses of this machine.
std::vector<IpAddress> own_addresses();

}  // namespace sealift::installer
