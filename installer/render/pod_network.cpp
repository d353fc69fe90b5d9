#include "installer/render/pod_network.hpp"

#include "installer/render/template.hpp"

namespace sealift::installer {

std::string render_bridge_network(const Network& pods) {
  const char* everywhere = pods.base().is_v6() ? "::/0" : "0.0.0.0/0";
  const json::Object ipam{{"type", "host-local"},
                          {"ranges", json::Array{json::Array{json::Object{{"subnet", pods.str()}}}}},
                          {"routes", json::Array{json::Object{{"dst", everywhere}}}}};
  const json::Object bridge{{"type", "bridge"}, {"bridge", "cni0"},    {"isGateway", true},
                            {"ipMasq", false},  {"hairpinMode", true}, {"ipam", ipam}};
  const json::Object portmap{{"type", "portmap"}, {"capabilities", json::Object{{"portMappings", true}}}};
  return json::serialize_pretty(json::Object{
      {"cniVersion", "0.3.1"}, {"name", "sealift-bridge"}, {"plugins", json::Array{bridge, portmap}}});
}

Result<std::string> render_routes_unit(const std::vector<PodRange>& others, const Network& all_pods) {
  json::Array routes;
  for (const PodRange& other : others)
    routes.push_back(json::Object{{"pods", other.pods.str()}, {"via", other.address.str()}});
  const bool v6 = all_pods.base().is_v6();
  return fill_template("sealift-routes.service",
                       {{"routes", routes},
                        {"family", v6 ? "-6" : "-4"},
                        {"range", all_pods.str()},
                        {"iptables", v6 ? "/usr/sbin/ip6tables" : "/usr/sbin/iptables"}});
}

}  // namespace sealift::installer
