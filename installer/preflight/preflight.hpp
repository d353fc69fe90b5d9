/// What is wrong with a site, found out before anything is changed. Pure evaluation of what the hosts told.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "installer/host/facts.hpp"
#include "installer/inventory/cluster.hpp"
#include "lib/base/json.hpp"
#include "lib/bundle/contents.hpp"

namespace sealift::installer {

enum class Severity {
  error,    ///< the installation would fail or do harm
  warning,  ///< it can go on; the person should know
  change,   ///< not as it must be, and the installation will put it right
};
std::string_view to_string(Severity severity);

struct Finding {
  Severity severity = Severity::error;
  std::string host;     ///< empty: the site or the bundle
  std::string subject;  ///< stable short name: "swap", "product_uuid", "image-closure"
  std::string message;  ///< what was expected and what was found
  std::string advice;   ///< what the person can do
};

/// What one host told, and how far its clock was from ours when it did.
struct HostReport {
  Facts facts;
  std::chrono::nanoseconds clock_offset{0};
};

struct PreflightInput {
  const Cluster& cluster;
  const bundle::Contents& contents;
  const std::map<std::string, HostReport>& hosts;       ///< by name; the deploy host too
  const std::string& deploy;                            ///< name of the deploy host
  const std::map<std::string, std::string>& manifests;  ///< of the bundle: name -> text
  bool swap_off = false;                                ///< the person allowed us to turn swap off
};

/// The balancer's configuration, on hosts that balance (phases/serving.cpp).
inline constexpr const char* kBalancerConfig = "/etc/sealift/nginx.conf";
/// The pod network `bridge`, on nodes that have it (phases/network.cpp).
inline constexpr const char* kBridgeNetwork = "/etc/cni/net.d/10-sealift-bridge.conflist";
/// Where the control plane that applied it has that manifest (phases/network.cpp).
std::string manifest_path(const std::string& name);

/// What to ask a host. `host` is null for a deploy host that is no member.
FactsRequest facts_request(const Cluster& cluster, const bundle::Contents& contents, const Host* host,
                           const std::string& mirror_address);

/// Everything that is wrong, in the order of the inventory; errors first within a host.
std::vector<Finding> evaluate(const PreflightInput& input);

/// One line for people: "cp2: swap is on (…): turn it off …".
std::string describe(const Finding& finding);
json::Value to_json(const Finding& finding);

/// The groups of checks; each adds what it finds.
void check_one_host(const PreflightInput& input, const Host& host, const Facts& facts,
                    std::vector<Finding>& findings);
/// What it needs of the bundle's packages: called by check_one_host.
void check_host_supply(const PreflightInput& input, const Host& host, const Facts& facts,
                       std::vector<Finding>& findings);
void check_deploy_host(const PreflightInput& input, const Facts& facts, std::vector<Finding>& findings);
void check_firewalls(const PreflightInput& input, const std::string& host, const Facts& facts,
                     std::vector<Finding>& findings);
void check_between_hosts(const PreflightInput& input, std::vector<Finding>& findings);
/// What cluster.yaml says and the cluster that runs already cannot be changed to.
void check_running_cluster(const PreflightInput& input, std::vector<Finding>& findings);
void check_bundle_closure(const PreflightInput& input, std::vector<Finding>& findings);

}  // namespace sealift::installer
