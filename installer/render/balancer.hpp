/// Texts of the floating API address: keepalived (who has the address) and nginx (which API server answers).
///
/// nginx runs under a unit of its own, sealift-lb.service with /etc/sealift/nginx.conf: a web server that the
/// machine already runs from /etc/nginx stays what it is, and neither one's mistake stops the other.
#pragma once

#include <string>
#include <vector>

#include "installer/inventory/cluster.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

struct KeepalivedSettings {
  std::string cluster;
  std::string host;  ///< name of this host
  std::string interface;
  IpAddress address;             ///< of this host on that interface
  std::vector<IpAddress> peers;  ///< of the other balancers
  unsigned router_id = 0;
  unsigned priority = 0;
  IpAddress floating;
};

/// Distinct for distinct ranks: 200 for the first of `count` hosts, at least 1 apart, never below 1.
unsigned keepalived_priority(std::size_t rank, std::size_t count);

/// A router id that follows from the address (its last byte) unless `taken` holds it; then the next free one.
unsigned choose_router_id(const IpAddress& floating, const std::vector<unsigned>& taken);

/// Seconds until another host takes the address after the holder vanished, by RFC 5798: three intervals plus
/// the skew of the best remaining priority.
double expected_takeover_seconds(unsigned best_remaining_priority);

Result<std::string> render_keepalived(const KeepalivedSettings& settings);

struct NginxSettings {
  std::string cluster;
  std::vector<IpAddress> servers;  ///< control planes; port 6443 each
  std::uint16_t port = 0;
  bool v6 = false;
  std::string module = "/usr/lib/nginx/modules/ngx_stream_module.so";
};

Result<std::string> render_nginx(const NginxSettings& settings);
Result<std::string> render_balancer_unit(const std::string& nginx_program);
Result<std::string> render_keepalived_dropin();

}  // namespace sealift::installer
