#include "installer/render/balancer.hpp"

#include <algorithm>

#include "installer/render/template.hpp"

namespace sealift::installer {

unsigned keepalived_priority(std::size_t rank, std::size_t count) {
  const std::size_t step = std::clamp<std::size_t>(199 / std::max<std::size_t>(count, 1), 1, 10);
  return static_cast<unsigned>(std::max<std::size_t>(200 - std::min<std::size_t>(rank * step, 199), 1));
}

unsigned choose_router_id(const IpAddress& floating, const std::vector<unsigned>& taken) {
  const unsigned last = floating.bytes()[floating.is_v6() ? 15 : 3];
  const unsigned first = last == 0 ? 255 : last;
  for (unsigned i = 0; i < 255; ++i) {
    const unsigned candidate = (first - 1 + i) % 255 + 1;
    if (std::find(taken.begin(), taken.end(), candidate) == taken.end()) return candidate;
  }
  return first;
}

double expected_takeover_seconds(unsigned best_remaining_priority) {
  return 3.0 + (256.0 - best_remaining_priority) / 256.0;
}

Result<std::string> render_keepalived(const KeepalivedSettings& settings) {
  json::Array peers;
  for (const IpAddress& peer : settings.peers) peers.emplace_back(peer.str());
  return fill_template(
      "keepalived.conf",
      {{"cluster", settings.cluster},
       {"host", settings.host},
       {"interface", settings.interface},
       {"address", settings.address.str()},
       {"has_peers", !peers.empty()},
       {"peers", peers},
       {"router_id", settings.router_id},
       {"priority", settings.priority},
       {"floating", fmt::format("{}/{}", settings.floating.str(), settings.floating.is_v6() ? 128 : 32)}});
}

Result<std::string> render_nginx(const NginxSettings& settings) {
  json::Array servers;
  for (const IpAddress& server : settings.servers) servers.emplace_back(server.bracketed() + ":6443");
  return fill_template("nginx.conf",
                       {{"cluster", settings.cluster},
                        {"module", settings.module},
                        {"servers", servers},
                        {"listen", fmt::format("{}:{}", settings.v6 ? "[::]" : "0.0.0.0", settings.port)}});
}

Result<std::string> render_balancer_unit(const std::string& nginx_program) {
  return fill_template("sealift-lb.service", {{"nginx", nginx_program}});
}

Result<std::string> render_keepalived_dropin() { return fill_template("keepalived-order.conf", {}); }

}  // namespace sealift::installer
