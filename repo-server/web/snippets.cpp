#include "repo-server/web/snippets.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sealift::repo_server {
namespace {

constexpr std::string_view kAptKey = "/etc/apt/keyrings/sealift";
constexpr std::string_view kSystemCa = "/usr/local/share/ca-certificates/sealift-site-ca.crt";

std::string key_suffix(const SnippetContext& context) {
  const auto dot = context.key_path.rfind('.');
  return dot == std::string::npos ? ".gpg" : context.key_path.substr(dot);
}

}  // namespace

std::string SnippetContext::repository_url() const {
  return fmt::format("{}://{}:{}", secure ? "https" : "http", host, repository_port);
}
std::string SnippetContext::registry_url() const {
  return fmt::format("{}://{}:{}", secure ? "https" : "http", host, registry_port);
}

std::string safe_host(std::string_view header, std::string_view fallback) {
  std::string_view host = header;
  if (host.starts_with('[')) {
    const auto close = host.find(']');
    host = close == std::string_view::npos ? std::string_view() : host.substr(0, close + 1);
    const bool good =
        host.size() > 3 && host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
    return std::string(good ? host : fallback);
  }
  host = host.substr(0, host.find(':'));
  const bool good = !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  return std::string(good ? host : fallback);
}

std::string apt_sources(const SnippetContext& context, std::string_view target) {
  std::string out = fmt::format(
      "# /etc/apt/sources.list.d/sealift.sources\n"
      "Types: deb\n"
      "URIs: {}/apt/{}\n"
      "Suites: stable\n"
      "Components: main\n",
      context.repository_url(), target);
  if (!context.key_path.empty()) out += fmt::format("Signed-By: {}{}\n", kAptKey, key_suffix(context));
  return out;
}

std::string containerd_hosts(const SnippetContext& context) {
  const std::string url = context.registry_url();
  const std::string pull = "capabilities = [\"pull\", \"resolve\"]";
  const std::string ca = "ca = \"/etc/containerd/certs.d/sealift-site-ca.crt\"";
  std::string out =
      "# /etc/containerd/certs.d/_default/hosts.toml: every upstream registry is answered from the bundle.\n"
      "# containerd must have config_path = \"/etc/containerd/certs.d\".\n";
  if (url.find('[') == std::string::npos) {
    out += fmt::format("[host.\"{}\"]\n  {}\n", url, pull);
    if (context.secure) out += "  " + ca + "\n";
    return out;
  }
  // containerd 1 takes no ']' in the name of a table; containerd 2 knows no inline table and asks the server.
  out += fmt::format("server = \"{}\"\n{}\n", url, pull);
  if (context.secure) out += ca + "\n";
  return out + fmt::format("\n[host]\n\"{}\" = {{{}{}}}\n", url, pull, context.secure ? ", " + ca : "");
}

std::string containers_registries(const SnippetContext& context,
                                  const std::vector<std::string>& upstream_hosts) {
  std::string out = "# /etc/containers/registries.conf.d/010-sealift.conf\n";
  if (context.secure) {
    out += fmt::format("# The site's CA: /etc/containers/certs.d/{}:{}/ca.crt\n", context.host,
                       context.registry_port);
  }
  for (const std::string& upstream : upstream_hosts) {
    out += fmt::format(
        "\n[[registry]]\nprefix = \"{0}\"\nlocation = \"{0}\"\n[[registry.mirror]]\nlocation = "
        "\"{1}:{2}/{0}\"\ninsecure = {3}\n",
        upstream, context.host, context.registry_port, context.secure ? "false" : "true");
  }
  return out;
}

std::string instructions(const SnippetContext& context) {
  const std::string url = context.repository_url();
  const std::string curl = context.secure ? fmt::format("curl -fsS --cacert {}", kSystemCa) : "curl -fsS";
  std::string out;
  if (context.secure) {
    out += fmt::format(
        "# Trust this site's CA (compare its fingerprint with what `sealift serve` printed)\n"
        "curl -fsSk {}/client/ca.crt -o {}\nupdate-ca-certificates\n\n",
        url, kSystemCa);
  }
  if (!context.apt_targets.empty()) {
    out += "# apt (Debian, Ubuntu)\n";
    if (!context.key_path.empty()) {
      out += fmt::format("install -d /etc/apt/keyrings\n{} {}/{} -o {}{}\n", curl, url, context.key_path,
                         kAptKey, key_suffix(context));
    }
    const bool choice = context.apt_targets.size() > 1;
    if (choice)
      out +=
          "# There are packages for several distributions: of the commands below, run the one of this "
          "machine's without its #.\n";
    for (const std::string& target : context.apt_targets) {
      if (choice) out += fmt::format("# on {}:\n# ", target);
      out += fmt::format("{} {}/client/apt/{}.sources -o /etc/apt/sources.list.d/sealift.sources\n", curl,
                         url, target);
    }
    out += "apt-get update\n\n";
  }
  out += fmt::format(
      "# containerd: one mirror for every upstream registry\ninstall -d /etc/containerd/certs.d/_default\n{} "
      "{}/client/hosts.toml -o "
      "/etc/containerd/certs.d/_default/hosts.toml\n",
      curl, url);
  if (context.secure) out += fmt::format("cp {} /etc/containerd/certs.d/sealift-site-ca.crt\n", kSystemCa);
  out += fmt::format(
      "\n# podman, CRI-O, skopeo\n{} {}/client/registries.conf -o "
      "/etc/containers/registries.conf.d/010-sealift.conf\n",
      curl, url);
  if (context.secure) {
    out += fmt::format(
        "install -D -m 0644 {0} /etc/containers/certs.d/{1}:{2}/ca.crt\n\n# docker\ninstall -D -m 0644 {0} "
        "/etc/docker/certs.d/{1}:{2}/ca.crt\n",
        kSystemCa, context.host, context.registry_port);
  } else {
    out += "\n# docker\n";
  }
  if (!context.example_image.empty())
    out += fmt::format("docker pull {}:{}/{}\n", context.host, context.registry_port, context.example_image);
  return out;
}

}  // namespace sealift::repo_server
