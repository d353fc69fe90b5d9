/// A site in which nothing is wrong: four Debian 12 machines and a bundle of Kubernetes 1.20. Tests break one
/// thing each.
#pragma once

#include <map>
#include <string>

#include "installer/preflight/preflight.hpp"

namespace sealift::installer {

struct SampleSite {
  Cluster cluster;
  bundle::Contents contents;
  std::map<std::string, HostReport> hosts;
  std::map<std::string, std::string> manifests;
  std::string deploy = "deploy";
  bool swap_off = false;

  Facts& facts(const std::string& host) { return hosts.at(host).facts; }
  std::vector<Finding> evaluate() const;
};

SampleSite sample_site(const std::string& extra_yaml = "dns: {enabled: false}\n");

/// The one error of that subject, or a failed test.
Finding only_error(const SampleSite& site, const std::string& subject);

}  // namespace sealift::installer
