#include <algorithm>
#include <sstream>

#include "installer/host/child.hpp"
#include "installer/host/dpkg.hpp"
#include "installer/host/facts_parts.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

std::string output_of(std::vector<std::string> arguments) {
  const auto result = run_child({.arguments = std::move(arguments), .timeout = std::chrono::seconds(10)});
  if (!result || result->exit_code != 0) return {};
  return result->out.substr(0, result->out.find('\n'));
}

/// The first word that looks like a version: "containerd github.com/… 1.6.20~ds1 …" -> "1.6.20~ds1".
std::string version_in(const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.starts_with('v')) word.erase(0, 1);
    const std::size_t digits = word.find_first_not_of("0123456789");
    if (digits != 0 && digits != std::string::npos && word[digits] == '.') {
      while (!word.empty() && (word.back() == ',' || word.back() == ')')) word.pop_back();
      return word;
    }
  }
  return "present";
}

void gather_runtimes(Facts& facts, const std::string& root) {
  for (const char* name : {"containerd", "docker", "podman", "crio"}) {
    if (root.empty() && !find_program(name).empty()) {
      const std::string text = output_of({name, "--version"});
      facts.runtimes[name] = text.empty() ? "present" : version_in(text);
    } else if (entry_exists(root + "/usr/bin/" + name)) {
      facts.runtimes[name] = "present";
    }
  }
}

bool unit_is_active(const char* unit) { return output_of({"systemctl", "is-active", unit}) == "active"; }

/// Chains of Kubernetes, container runtimes and network plugins refuse packets too, but are no firewall of
/// the administrator's.
bool is_container_chain(const std::string& chain) {
  for (const char* prefix : {"KUBE-", "DOCKER", "CNI-", "cali", "CILIUM", "FLANNEL", "LIBVIRT"}) {
    if (chain.starts_with(prefix)) return true;
  }
  return false;
}

bool refuses(const std::string& rule) {
  for (const char* word : {" drop", "\tdrop", "reject", "-j DROP", "-j REJECT"}) {
    if (rule.find(word) != std::string::npos) return true;
  }
  return false;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> manageable_firewalls(const Facts& facts) {
  std::vector<std::string> found;
  for (const char* name : {"firewalld", "ufw"})
    if (contains(facts.firewalls, name)) found.emplace_back(name);
  return found;
}

bool refuses_packets(const std::string& rules, const std::vector<std::string>& firewalls) {
  const bool firewalld = contains(firewalls, "firewalld");
  const bool ufw = contains(firewalls, "ufw");
  std::string table;
  std::string chain;
  std::istringstream lines(rules);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    std::string third;
    words >> first >> second >> third;
    if (first == "table") table = second + " " + third;  // "inet firewalld"; iptables-save has no such line
    if (first == "chain" || first == "-A") chain = second;
    if (first.starts_with(':')) {
      chain = first.substr(1);
      line = second == "DROP" ? "policy drop" : "";
    }
    // ufw sets the policies of iptables' built-in chains; its own are named after it.
    const bool of_iptables = table.empty() || table == "ip filter" || table == "ip6 filter";
    const bool is_policy = line.find("policy drop") != std::string::npos;
    const bool of_ufw = ufw && of_iptables && (is_policy || chain.starts_with("ufw"));
    const bool of_firewalld = firewalld && table == "inet firewalld";
    if (refuses(line) && !of_ufw && !of_firewalld && !is_container_chain(chain)) return true;
  }
  return false;
}

namespace {

void gather_firewalls(Facts& facts, const std::string& root) {
  if (!root.empty()) return;
  if (!find_program("firewalld").empty() && unit_is_active("firewalld.service"))
    facts.firewalls.emplace_back("firewalld");
  if (const auto text = read_file("/etc/ufw/ufw.conf", kMaxFactsFile);
      text && ("\n" + *text).find("\nENABLED=yes") != std::string::npos) {
    facts.firewalls.emplace_back("ufw");
  }
  const bool has_nft = !find_program("nft").empty();
  if (!has_nft && find_program("iptables-save").empty()) return;
  const auto rules = run_child({.arguments = has_nft ? std::vector<std::string>{"nft", "list", "ruleset"}
                                                     : std::vector<std::string>{"iptables-save"},
                                .timeout = std::chrono::seconds(10)});
  if (rules && rules->exit_code == 0 && refuses_packets(rules->out, facts.firewalls))
    facts.firewalls.emplace_back(has_nft ? "nftables" : "iptables");
}

void gather_security(Facts& facts, const std::string& root) {
  if (const auto enforcing = read_file(root + "/sys/fs/selinux/enforce", kMaxFactsFile); enforcing) {
    facts.selinux = enforcing->starts_with('1') ? "enforcing" : "permissive";
  } else if (entry_exists(root + "/etc/selinux/config")) {
    facts.selinux = "disabled";
  }
  const auto apparmor = read_file(root + "/sys/module/apparmor/parameters/enabled", kMaxFactsFile);
  facts.apparmor = apparmor && apparmor->starts_with('Y');
}

std::string dpkg_architecture(const std::string& root, const std::string& machine) {
  // dpkg itself is of the architecture it was built for; the file lists only foreign ones.
  const auto installed = read_file(root + "/var/lib/dpkg/arch", kMaxFactsFile);
  if (installed && !installed->empty()) return installed->substr(0, installed->find('\n'));
  if (!entry_exists(root + "/var/lib/dpkg/status")) return {};
  return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
}

bool has_lease(const std::string& root) {
  for (const char* directory :
       {"/var/lib/dhcp", "/var/lib/dhclient", "/run/systemd/netif/leases", "/var/lib/dhcpcd"}) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(root + directory, ignored)) {
      if (entry.is_regular_file(ignored) && entry.file_size(ignored) > 0) return true;
    }
  }
  return false;
}

}  // namespace

void gather_software(Facts& facts, const FactsRequest& request, const std::string& root) {
  const auto installed = installed_packages(root);
  for (const std::string& name : request.packages) {
    if (const auto found = installed.find(name); found != installed.end())
      facts.packages[name] = found->second;
  }
  facts.dpkg_architecture = dpkg_architecture(root, facts.machine);
  if (root.empty() && entry_exists("/run/systemd/system")) {
    // "systemd 252 (252.38-1~deb12u1)"
    std::istringstream words(output_of({"systemctl", "--version"}));
    std::string name;
    words >> name >> facts.systemd_version;
  }
  gather_runtimes(facts, root);
  gather_firewalls(facts, root);
  gather_security(facts, root);
  facts.dhcp = has_lease(root);
}

}  // namespace sealift::installer
