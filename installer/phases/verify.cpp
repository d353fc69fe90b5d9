#include <algorithm>
#include <ranges>
#include <set>

#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"
#include "installer/plan/supply.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kReady = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}";

void add_node_checks(const Host& host, Plan& plan) {
  StepList steps("verify", host.name);
  // The kubelet itself answers: what the API says of a node may be forty seconds old.
  steps.add("kubelet", WaitFor{HttpAnswers{.url = "http://127.0.0.1:10248/healthz"}},
            "journalctl -u kubelet on the host");
  if (host.has(Role::control_plane)) {
    steps.add("api-server", api_server_ready(host),
              "crictl ps -a and crictl logs on the host show the API server's last words");
    steps.add("etcd",
              WaitFor{HttpAnswers{.url = fmt::format("http://{}:2381/health", etcd_loopback(host))},
                      std::chrono::seconds(180)},
              "crictl logs of etcd on the host");
  }
  plan.tasks.push_back({.id = "verify/" + host.name,
                        .phase = "verify",
                        .host = host.name,
                        .after = {"phase:join", "phase:network"},
                        .steps = steps.take()});
}

Status check_members(const Cluster& cluster, const std::string& text) {
  TRY_ASSIGN(const json::Value value, json::parse(text, "etcdctl member list"));
  TRY_ASSIGN(const auto list, json::Reader::of(value, "etcdctl member list"));
  std::set<std::string> found;
  TRY(list.each("members", [&](const json::Reader& member) -> Status {
    TRY_ASSIGN(const std::string name, member.string_or("name", "(not started)"));
    TRY_ASSIGN(const bool learner, member.boolean_or("isLearner", false));
    found.insert(learner ? name + " (learner)" : name);
    return {};
  }));
  std::set<std::string> expected;
  for (const Host* host : cluster.with(Role::control_plane)) expected.insert(host->name);
  if (found == expected) return {};
  return fail(ErrorCode::conflict, "etcd's members are {}; they should be {}", fmt::join(found, ", "),
              fmt::join(expected, ", "));
}

/// Ids of what add_cluster_checks has added.
struct ClusterChecks {
  std::string admin;    ///< step that reads the administrator's kubeconfig
  std::string members;  ///< step that lists etcd's members
  std::string task;     ///< to wait for
};

/// What only the API can say: every node Ready through the floating address, etcd's members the control
/// planes.
ClusterChecks add_cluster_checks(const Site& site, Plan& plan) {
  const Host& leader = *site.cluster.find(site.membership.leader);
  StepList steps("verify", leader.name);
  for (const Host* host : site.cluster.nodes())
    steps.add("ready-" + host->name,
              WaitFor{CommandSucceeds{.arguments = kubectl({"get", "node", host->name, "-o", kReady}),
                                      .timeout = std::chrono::seconds(20),
                                      .expect = "True"},
                      std::chrono::seconds(180)},
              "kubectl describe node " + host->name + " says what it waits for");
  for (const char* component : {"kube-controller-manager", "kube-scheduler"})
    steps.add(std::string("leader-") + component,
              WaitFor{CommandSucceeds{.arguments = kubectl({"-n", "kube-system", "get", "lease", component,
                                                            "-o", "jsonpath={.spec.holderIdentity}"}),
                                      .timeout = std::chrono::seconds(20),
                                      .expect = "_"}},
              "no control plane leads as " + std::string(component) + ": crictl logs on the control planes");
  const std::string members =
      steps.add("members", Capture{.arguments = etcdctl(leader, {"member", "list", "-w", "json"})});
  const std::string admin = steps.add("admin", ReadFile{kAdminConfig, Secrecy::secret});
  plan.tasks.push_back({.id = "verify/" + leader.name + "/cluster",
                        .phase = "verify",
                        .host = leader.name,
                        .lane = "cluster",
                        .after = {"phase:join", "phase:network"},
                        .steps = steps.take()});
  plan.tasks.push_back(
      {.id = "verify/" + leader.name + "/members",
       .phase = "verify",
       .host = leader.name,
       .lane = "cluster",
       .after = {"verify/" + leader.name + "/cluster"},
       .make_steps = [cluster = site.cluster, members](const Outputs& outputs) -> Result<std::vector<Step>> {
         TRY_ASSIGN(const std::string text, outputs.get(members));
         TRY(check_members(cluster, text));
         return std::vector<Step>{};
       },
       .make_steps_title = "compare etcd's members with the control planes"});
  return {admin, members, "verify/" + leader.name + "/members"};
}

/// Who cannot hear the others takes the address as well: two hosts with it answer in turns, and every check
/// that only asks for an answer is content. Returns the id of the task to wait for.
std::string add_address_check(const Site& site, const ClusterChecks& before, Plan& plan) {
  const std::string address = site.cluster.endpoint.address.str();
  std::map<std::string, std::string> asked;  // host -> step
  std::vector<std::string> after;
  for (const Host* host : site.cluster.balancers()) {
    StepList steps("verify", host->name);
    asked[host->name] =
        steps.add("address", Capture{.arguments = {"ip", "-o", "address", "show", "to", address}});
    after.push_back("verify/" + host->name + "/address");
    plan.tasks.push_back({.id = after.back(),
                          .phase = "verify",
                          .host = host->name,
                          .lane = "address",
                          .after = {before.task},
                          .steps = steps.take()});
  }
  const std::string& leader = site.membership.leader;
  const std::string task = "verify/" + leader + "/one-address";
  plan.tasks.push_back(
      {.id = task,
       .phase = "verify",
       .host = leader,
       .lane = "one-address",
       .after = std::move(after),
       .make_steps = [asked, address,
                      members = before.members](const Outputs& outputs) -> Result<std::vector<Step>> {
         // A plan made before there is a cluster knows nothing to compare.
         TRY(outputs.get(members));
         std::vector<std::string> holders;
         for (const auto& [host, step] : asked) {
           TRY_ASSIGN(const std::string text, outputs.get(step));
           if (!text.empty()) holders.push_back(host);
         }
         if (holders.size() == 1) return std::vector<Step>{};
         return fail(
             ErrorCode::conflict,
             "the API address {} is on {}; it should be on one balancer: VRRP (IP protocol 112) must pass "
             "between {}",
             address, holders.empty() ? "no host" : fmt::format("{}", fmt::join(holders, ", ")),
             fmt::join(std::views::keys(asked), ", "));
       },
       .make_steps_title = "compare who holds the API address"});
  return task;
}

/// The kubeconfig with the endpoint's address in place of its name, which this host may not know. The
/// certificates are still compared with the name: the address may have been another when they were made.
std::string with_numeric_server(std::string kubeconfig, const Endpoint& endpoint) {
  if (endpoint.name.empty()) return kubeconfig;
  const std::string named = "    server: https://" + endpoint.host_and_port() + "\n";
  const std::size_t at = kubeconfig.find(named);
  if (at == std::string::npos) return kubeconfig;
  return kubeconfig.replace(at, named.size(),
                            fmt::format("    server: https://{}:{}\n    tls-server-name: {}\n",
                                        endpoint.address.bracketed(), endpoint.port, endpoint.name));
}

}  // namespace

Status add_verify(const Site& site, Plan& plan) {
  for (const Host* host : site.cluster.nodes()) add_node_checks(*host, plan);
  const ClusterChecks cluster = add_cluster_checks(site, plan);
  std::vector<std::string> checked{cluster.task};
  if (site.cluster.endpoint.mode != EndpointMode::external)
    checked.push_back(add_address_check(site, cluster, plan));
  StepList steps("verify", site.deploy);
  const Facts& facts = site.facts.at(site.deploy);
  if (const auto* file = site.contents.find_role("kubectl", platform_of(facts.machine)); file != nullptr)
    steps.add("kubectl",
              FetchFile{.from = download(site, *file), .path = "/usr/local/bin/kubectl", .mode = 0755});
  // Brought to the deploy host, so that the person who installed can go on from there.
  plan.tasks.push_back(
      {.id = "verify/" + site.deploy + "/kubeconfig",
       .phase = "verify",
       .host = site.deploy,
       .lane = "kubeconfig",
       .after = std::move(checked),
       .steps = steps.take(),
       .make_steps = [admin = cluster.admin, deploy = site.deploy,
                      description = site.cluster](const Outputs& outputs) -> Result<std::vector<Step>> {
         TRY_ASSIGN(const std::string text, outputs.get(admin));
         StepList made("verify", deploy);
         made.add("admin-config",
                  WriteFile{kubeconfig_path(description.name),
                            with_numeric_server(text, description.endpoint), 0600, Secrecy::secret});
         return made.take();
       },
       .make_steps_title = "write " + kubeconfig_path(site.cluster.name)});
  return {};
}

}  // namespace sealift::installer
