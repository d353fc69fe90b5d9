/// cluster.yaml as anybody might write it: what is accepted must be renderable (but for repeated arguments,
/// which older versions of kubeadm do not have), and what is rendered for kubeadm must be YAML again,
/// document by document.
#include "installer/inventory/cluster.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/render/kubeadm.hpp"
#include "installer/render/system.hpp"
#include "lib/base/yaml.hpp"

namespace {

using namespace sealift;
using namespace sealift::installer;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_yaml(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\n---\n");
    require(yaml::Node::parse(text.substr(0, end), "rendered").has_value());
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 5);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cluster =
      parse_cluster(std::string_view(reinterpret_cast<const char*>(data), size), "cluster.yaml");
  if (!cluster) return 0;
  const JoinSecrets secrets{"abcdef.0123456789abcdef", std::string(64, '0')};
  for (const char* version : {"1.20.2", "1.32.3"}) {
    const ReleaseVersion kubernetes = ReleaseVersion::parse(version).value();
    for (const Host* host : cluster->nodes()) {
      const auto init = render_kubeadm_init(*cluster, *host, kubernetes, secrets);
      const auto join = render_kubeadm_join(*cluster, *host, kubernetes, secrets, "/d");
      const bool repeated = !init && init.error().message().find("is given twice") != std::string::npos;
      const bool repeated_in_join =
          !join && join.error().message().find("is given twice") != std::string::npos;
      require(init || (repeated && kubernetes.minor < 31));
      require(join || (repeated_in_join && kubernetes.minor < 31));
      if (!init || !join) continue;
      require_yaml(*init);
      require_yaml(*join);
    }
  }
  // No value of the file may begin a line of its own in a file that belongs to others.
  const std::string hosts = render_hosts_block(*cluster);
  require(static_cast<std::size_t>(std::count(hosts.begin(), hosts.end(), '\n')) ==
          cluster->hosts.size() + (cluster->endpoint.name.empty() ? 0 : 1));
  for (const Host& host : cluster->hosts)
    require(render_chrony(cluster->name, time_role(*cluster, host)).has_value());
  return 0;
}
