/// Everything a plan is made of. Pure data: making a plan reads and changes nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "installer/host/facts.hpp"
#include "installer/inventory/cluster.hpp"
#include "installer/plan/membership.hpp"
#include "installer/render/kubeadm.hpp"
#include "installer/render/versions.hpp"
#include "lib/bundle/contents.hpp"

namespace sealift::installer {

/// A public key that may sign bundles, as it is carried to the mirror's service.
struct SigningKey {
  std::string name;  ///< "sealift.pub"
  std::string text;
};

/// The mirror on the deploy host.
struct MirrorService {
  std::string address;               ///< numeric, in brackets for IPv6
  std::string ca_pem;                ///< of the site; empty only in a dry run before the first installation
  std::string program;               ///< the running program; installed as /usr/local/bin/sealift
  std::vector<std::string> bundles;  ///< absolute paths, the later wins
  /// Tells one state of these files from another: a server goes on with the file it opened.
  std::string bundles_state;
  std::vector<SigningKey> keys;
  unsigned threshold = 1;

  std::string registry_url() const { return "https://" + address + ":5000"; }
  /// Plain HTTP: packages are signed and files have digests; the port speaks TLS as well.
  std::string repository_url() const { return "http://" + address + ":12480"; }
};

/// Site CA, verification records.
inline constexpr const char* kMirrorState = "/var/lib/sealift/mirror";

struct Site {
  Cluster cluster;
  std::string cluster_id;
  bundle::Contents contents;  ///< of all bundles together
  ReleaseVersion kubernetes;
  std::string repository_key;  ///< armoured OpenPGP key of the package repositories; empty: no packages
  std::map<std::string, Facts> facts;  ///< by host name, the deploy host too
  std::string deploy;                  ///< the deploy host's name in the plan
  MirrorService mirror;
  Membership membership;
  JoinSecrets secrets;
  unsigned router_id = 0;  ///< of VRRP
  bool swap_off = false;   ///< turn swap off instead of refusing it

  const Facts& of(const Host& host) const { return facts.at(host.name); }
  bool is_pending(const Host& host) const { return host.is_node() && !membership.has(host); }
};

}  // namespace sealift::installer
