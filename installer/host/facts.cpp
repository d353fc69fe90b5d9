#include "installer/host/facts.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <sstream>
#include <thread>

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "installer/host/child.hpp"
#include "installer/host/dpkg.hpp"
#include "installer/host/facts_parts.hpp"
#include "installer/host/journal.hpp"
#include "installer/host/kernel.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

bool entry_exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

namespace {

/// A file that a power cut left empty is as good as none.
bool has_content(const std::string& path) {
  std::error_code ignored;
  return entry_exists(path) && !(fs::is_regular_file(path, ignored) && fs::file_size(path, ignored) == 0);
}

std::string first_line(const std::string& path) {
  const auto text = read_file(path, kMaxFactsFile);
  if (!text) return {};
  std::string line = text->substr(0, text->find('\n'));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
  return line;
}

/// os-release(5): NAME=value, the value perhaps in quotes.
std::map<std::string, std::string> read_os_release(const std::string& root) {
  std::map<std::string, std::string> result;
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const auto text = read_file(root + path, kMaxFactsFile);
    if (!text) continue;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t equals = line.find('=');
      if (equals == std::string::npos || line.starts_with('#')) continue;
      std::string value = line.substr(equals + 1);
      if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
          value.back() == value.front()) {
        value = value.substr(1, value.size() - 2);
      }
      result[line.substr(0, equals)] = value;
    }
    break;
  }
  return result;
}

std::uint64_t memory_bytes(const std::string& root) {
  const auto text = read_file(root + "/proc/meminfo", kMaxFactsFile);
  if (!text) return 0;
  std::istringstream words(*text);
  std::string name;
  std::uint64_t kib = 0;
  while (words >> name) {
    if (name == "MemTotal:" && words >> kib) return kib * 1024;
  }
  return 0;
}

DiskFact disk_of(const std::string& root, const std::string& path) {
  DiskFact fact{.path = path};
  fs::path existing = root + path;
  while (!entry_exists(existing.string()) && existing.has_parent_path() &&
         existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  struct statvfs info {};
  if (::statvfs(existing.c_str(), &info) == 0) {
    fact.total_bytes = static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
    fact.free_bytes = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }
  return fact;
}

void gather_system(Facts& facts, const std::string& root) {
  struct utsname names {};
  if (::uname(&names) == 0) {
    facts.hostname = names.nodename;
    facts.kernel = names.release;
    facts.kernel_config = kernel_config(root, facts.kernel);
    facts.machine = names.machine;
  }
  facts.os_release = read_os_release(root);
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  facts.cpus = cpus > 0 ? static_cast<unsigned>(cpus) : 0;
  facts.memory_bytes = memory_bytes(root);
  for (const char* path : {"/", "/var/lib", "/etc/kubernetes"}) facts.disks.push_back(disk_of(root, path));
  facts.product_uuid = first_line(root + "/sys/class/dmi/id/product_uuid");
  facts.machine_id = first_line(root + "/etc/machine-id");
  facts.swaps = active_swaps(root);
  facts.fstab_swaps = fstab_swaps(root);
}

/// kubelet uses version 2 when the unified hierarchy is mounted at /sys/fs/cgroup itself.
void gather_cgroups(Facts& facts, const std::string& root) {
  if (const std::string line = first_line(root + "/sys/fs/cgroup/cgroup.controllers");
      entry_exists(root + "/sys/fs/cgroup/cgroup.controllers")) {
    facts.cgroup_version = 2;
    std::istringstream words(line);
    for (std::string word; words >> word;) facts.cgroup_controllers.push_back(word);
    return;
  }
  const auto text = read_file(root + "/proc/cgroups", kMaxFactsFile);
  if (!text) return;
  facts.cgroup_version = 1;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    unsigned hierarchy = 0;
    unsigned count = 0;
    unsigned enabled = 0;
    if (line.starts_with('#') || !(words >> name >> hierarchy >> count >> enabled)) continue;
    if (enabled == 1 && entry_exists(root + "/sys/fs/cgroup/" + name))
      facts.cgroup_controllers.push_back(name);
  }
}

void list_matching(const std::string& root, const std::string& directory, std::string_view suffix,
                   std::vector<std::string>& found) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root + directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(suffix)) found.push_back(directory + "/" + name);
  }
}

void gather_kubernetes(Facts& facts, const std::string& root) {
  list_matching(root, "/etc/kubernetes", ".conf", facts.kubernetes_files);
  list_matching(root, "/etc/kubernetes/manifests", ".yaml", facts.kubernetes_files);
  for (const char* path :
       {"/var/lib/etcd/member", "/var/lib/kubelet/config.yaml", "/etc/kubernetes/pki/ca.crt"}) {
    if (entry_exists(root + path)) facts.kubernetes_files.emplace_back(path);
  }
}

/// The text behind `key` up to the end of its line or to white space; empty when there is none.
std::string word_behind(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return {};
  std::istringstream words(text.substr(at + key.size()));
  std::string word;
  words >> word;
  return word;
}

/// What the cluster of a control plane was made with.
void gather_control_plane(Facts& facts, const std::string& root) {
  const auto word = [&](const char* path, std::string_view key) {
    const auto text = read_file(root + path, kMaxFactsFile);
    return text ? word_behind(*text, key) : std::string();
  };
  const char* const server = "/etc/kubernetes/manifests/kube-apiserver.yaml";
  facts.api_server_version = word(server, "/kube-apiserver:");
  facts.service_range = word(server, "--service-cluster-ip-range=");
  facts.pod_range = word("/etc/kubernetes/manifests/kube-controller-manager.yaml", "--cluster-cidr=");
  facts.api_url = word("/etc/kubernetes/admin.conf", "server: ");
}

void gather_router_id(Facts& facts, const std::string& root) {
  const auto text = read_file(root + "/etc/keepalived/keepalived.conf", kMaxFactsFile);
  if (!text) return;
  const std::string word = word_behind(*text, "virtual_router_id ");
  unsigned id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  if (error == std::errc() && end == word.data() + word.size() && id <= 255) facts.router_id = id;
}

const char* word_for(StepRecord::Event event) {
  switch (event) {
    case StepRecord::Event::begun:
      return "begun";
    case StepRecord::Event::done:
      return "done";
    case StepRecord::Event::failed:
      return "failed";
    case StepRecord::Event::undone:
      break;
  }
  return "undone";
}

void gather_journal(Facts& facts, const FactsRequest& request, const std::string& root) {
  const auto journal = Journal::open(root);
  if (!journal) facts.journal_error = journal.error().message();
  if (!journal || !(*journal)->owner()) return;
  facts.journal_cluster_name = (*journal)->owner()->cluster_name;
  facts.journal_cluster_id = (*journal)->owner()->cluster_id;
  std::optional<StepRecord> newest;
  for (const std::string& id : request.steps)
    if (const auto record = (*journal)->find(id); record && (!newest || record->sequence > newest->sequence))
      newest = record;
  if (newest) facts.newest_step = word_for(newest->event);
}

}  // namespace

Facts gather_facts(const FactsRequest& request, const std::string& root) {
  Facts facts;
  facts.clock_unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  facts.uid = ::geteuid();
  gather_system(facts, root);
  gather_cgroups(facts, root);
  gather_kubernetes(facts, root);
  gather_control_plane(facts, root);
  gather_router_id(facts, root);
  gather_network(facts, root);
  // The probes wait for others; meanwhile the files are read.
  std::thread reach([&] { facts.reach = probe_reach(request.reach); });
  const std::uint32_t listen_ms = facts.router_id == 0 ? request.vrrp_listen_ms : 0;
  std::thread vrrp([&] { facts.vrrp = listen_vrrp(listen_ms, facts); });
  std::thread claims([&] { facts.claims = probe_claims(request.claims, facts); });
  gather_listeners(facts, root);
  gather_software(facts, request, root);
  for (const std::string& module : request.modules) facts.modules[module] = module_state(root, module);
  for (const std::string& path : request.paths) facts.paths[path] = has_content(root + path);
  gather_journal(facts, request, root);
  reach.join();
  vrrp.join();
  claims.join();
  return facts;
}

}  // namespace sealift::installer
