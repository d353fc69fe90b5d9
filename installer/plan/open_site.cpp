#include "installer/plan/open_site.hpp"

#include <algorithm>
#include <future>
#include <set>

#include "installer/host/ssh.hpp"
#include "installer/plan/supply.hpp"
#include "lib/crypto/ed25519.hpp"

namespace sealift::installer {
namespace {

constexpr std::uint64_t kMaxClusterFile = 1U << 20;
constexpr std::uint64_t kMaxKeyFile = 64U << 10;
constexpr std::uint64_t kMaxManifest = 16U << 20;

Status open_bundles(const SiteFiles& files, OpenedSite& opened) {
  if (files.bundles.empty())
    return fail(ErrorCode::invalid_argument,
                "no bundle given: --bundle FILE names the one that was carried here");
  if (files.keys.empty())
    return fail(ErrorCode::invalid_argument,
                "no key given: --key FILE names the public key that the bundle must be signed with");
  bundle::TrustPolicy policy;
  policy.threshold = files.threshold;
  std::set<std::string> names;
  for (const std::string& path : files.keys) {
    TRY_ASSIGN(std::string text, read_file(path, kMaxKeyFile));
    TRY_ASSIGN(PublicKey key, PublicKey::from_file(path));
    policy.keys.push_back(std::move(key));
    std::string name = fs::path(path).filename().string();
    while (!names.insert(name).second) name = "other-" + name;
    opened.keys.push_back({std::move(name), std::move(text)});
  }
  opened.threshold = files.threshold;
  std::vector<const bundle::Contents*> contents;
  for (const std::string& path : files.bundles) {
    std::error_code error;
    const fs::path absolute = fs::canonical(path, error);
    if (error) return fail(ErrorCode::not_found, "cannot open the bundle {}: {}", path, error.message());
    TRY_ASSIGN(auto verified, bundle::open_verified(absolute, policy));
    contents.push_back(&verified->contents());
    opened.bundles.push_back(std::move(verified));
  }
  TRY(check_repository_keys(contents));
  opened.contents = merge_contents(contents);
  return {};
}

/// A file of the mirror's tree, from whichever bundle holds it.
Result<std::string> read_member(const OpenedSite& opened, const bundle::FileEntry& file,
                                std::uint64_t limit) {
  for (auto bundle = opened.bundles.rbegin(); bundle != opened.bundles.rend(); ++bundle) {
    const auto* blob = (*bundle)->contents().find_blob(file.blob());
    if (blob != nullptr && blob->offset) return within((*bundle)->file().read_file(file, limit), file.path);
  }
  return fail(ErrorCode::not_found, "none of the given bundles holds {}: give the earlier one as well",
              file.path);
}

Status read_members(OpenedSite& opened) {
  for (const bundle::FileEntry& file : opened.contents.files) {
    if (file.role != "manifest") continue;
    TRY_ASSIGN(opened.manifests[fs::path(file.path).stem().string()],
               read_member(opened, file, kMaxManifest));
  }
  if (const auto* key = opened.contents.find_file(kRepositoryKey); key != nullptr) {
    TRY_ASSIGN(opened.repository_key, read_member(opened, *key, kMaxKeyFile));
  } else if (!opened.contents.package_sets.empty()) {
    return fail(ErrorCode::integrity,
                "the bundle has packages but not the key of their repository (keys/repository.asc)");
  }
  return {};
}

/// Is this machine one of the hosts? Then it is spoken to directly, and the mirror runs there.
Status find_own_place(OpenedSite& opened) {
  const auto own = own_addresses();
  opened.deploy = "deploy";
  while (opened.cluster.find(opened.deploy) != nullptr) opened.deploy += "-host";
  const Host* other = nullptr;
  for (const Host& host : opened.cluster.hosts) {
    if (std::find(own.begin(), own.end(), host.address) != own.end()) {
      opened.deploy = host.name;
      opened.mirror_address = host.address;
    } else if (other == nullptr) {
      other = &host;
    }
  }
  if (opened.cluster.mirror_address) {
    opened.mirror_address = *opened.cluster.mirror_address;
  } else if (other != nullptr && opened.cluster.find(opened.deploy) == nullptr) {
    TRY_ASSIGN(opened.mirror_address, local_address_towards(other->address));
  }
  return {};
}

/// Each host by its own way: over SSH with its settings, or directly when it is this machine.
class EveryWay final : public Transport {
 public:
  void add(const std::string& host, Transport& way) { ways_[host] = &way; }
  Result<std::unique_ptr<Session>> connect(const HostAddress& host) override {
    return ways_.at(host.name)->connect(host);
  }

 private:
  std::map<std::string, Transport*> ways_;
};

SshOptions ssh_options(const SshSettings& settings) {
  SshOptions options;
  options.user = settings.user;
  options.port = settings.port;
  options.identity_file = settings.identity;
  options.known_hosts_file = settings.known_hosts;
  options.config_file = settings.config;
  return options;
}

}  // namespace

Result<Cluster> read_cluster(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path, kMaxClusterFile));
  return parse_cluster(text, path);
}

Result<OpenedSite> open_site(const SiteFiles& files) {
  OpenedSite opened;
  TRY_ASSIGN(opened.cluster, read_cluster(files.cluster));
  TRY(open_bundles(files, opened));
  TRY(read_members(opened));
  TRY(find_own_place(opened));
  opened.agent = files.agent;
  opened.swap_off = files.swap_off;
  return opened;
}

Result<Sessions> connect_hosts(const Cluster& cluster, const std::string& deploy, const std::string& agent) {
  TRY_ASSIGN(const AgentProgram program, find_agent_program(agent));
  const auto local = make_local_transport(program, "");
  std::map<SshSettings, std::unique_ptr<Transport>> ssh;
  EveryWay ways;
  std::vector<HostAddress> addresses;
  for (const Host& host : cluster.hosts) {
    addresses.push_back({host.name, host.address.str()});
    if (host.name == deploy) {
      ways.add(host.name, *local);
      continue;
    }
    auto& way = ssh[host.ssh];
    if (way == nullptr) {
      TRY_ASSIGN(way, make_ssh_transport(ssh_options(host.ssh), program));
    }
    ways.add(host.name, *way);
  }
  if (!deploy.empty() && cluster.find(deploy) == nullptr) {
    addresses.push_back({deploy, "127.0.0.1"});
    ways.add(deploy, *local);
  }
  return connect_all(ways, addresses);
}

Result<std::map<std::string, HostReport>> ask_hosts(const OpenedSite& opened, const Sessions& sessions) {
  std::map<std::string, std::future<Result<HostReport>>> asked;
  for (const auto& [name, session] : sessions) {
    FactsRequest request = facts_request(opened.cluster, opened.contents, opened.cluster.find(name),
                                         opened.mirror_address.str());
    asked[name] = std::async(
        std::launch::async, [request = std::move(request), link = session.get()]() -> Result<HostReport> {
          const auto before = std::chrono::system_clock::now().time_since_epoch();
          TRY_ASSIGN(Facts facts, link->facts(request));
          const auto offset = std::chrono::nanoseconds(facts.clock_unix_ns) -
                              std::chrono::duration_cast<std::chrono::nanoseconds>(before);
          return HostReport{std::move(facts), offset};
        });
  }
  std::map<std::string, HostReport> reports;
  for (auto& [name, answer] : asked) {
    TRY_ASSIGN(reports[name], within(answer.get(), name));
  }
  return reports;
}

std::vector<Finding> look_at(const OpenedSite& opened, const std::map<std::string, HostReport>& reports) {
  return evaluate(
      {opened.cluster, opened.contents, reports, opened.deploy, opened.manifests, opened.swap_off});
}

fs::path cluster_directory(const std::string& cluster) {
  return fs::path("/var/lib/sealift/clusters") / cluster;
}

}  // namespace sealift::installer
