#include "installer/render/runtime.hpp"

#include "installer/render/template.hpp"

namespace sealift::installer {

Result<std::string> render_containerd(const ReleaseVersion& containerd, const std::string& sandbox_image) {
  if (sandbox_image.find_first_of("\"'\\ ") != std::string::npos)
    return fail(ErrorCode::invalid_argument, "'{}' is not an image name", sandbox_image);
  TRY_ASSIGN(const unsigned version, containerd_config_version(containerd));
  return fill_template(fmt::format("containerd-v{}.toml", version), {{"sandbox", sandbox_image}});
}

Result<std::string> render_containerd_unit() { return fill_template("containerd.service", {}); }

Result<std::string> render_registry_hosts(const std::vector<std::string>& urls, const std::string& ca_file) {
  if (urls.empty()) return fail(ErrorCode::internal, "a registry mirror needs an address");
  // `server` is asked last; naming a mirror there keeps containerd from turning to the real registry.
  // containerd 1.6 wants at least one [host] as well, or it ignores the whole file and asks the real
  // registry.
  json::Array hosts;
  for (const std::string& url : urls) hosts.push_back(json::Object{{"url", url}, {"ca", ca_file}});
  const bool inline_tables = urls.back().find('[') != std::string::npos;
  return fill_template("hosts.toml", {{"server", urls.back()},
                                      {"ca", ca_file},
                                      {"tables", inline_tables ? json::Array{} : hosts},
                                      {"inline", inline_tables},
                                      {"hosts", hosts}});
}

Result<std::string> render_crictl() { return fill_template("crictl.yaml", {}); }

Result<std::string> render_kubelet_unit(const std::string& kubelet_program) {
  return fill_template("kubelet.service", {{"kubelet", kubelet_program}});
}

Result<std::string> render_kubelet_dropin(const std::string& kubelet_program,
                                          const ReleaseVersion& kubernetes) {
  return fill_template("10-kubeadm.conf",
                       {{"kubelet", kubelet_program}, {"asks_metadata", kubernetes < kModernKubelet}});
}

}  // namespace sealift::installer
