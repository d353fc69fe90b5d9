#include "installer/phases/firewall.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kOrLeaveIt = "'firewall: {manage: false}' in cluster.yaml leaves it to you";

Status open_firewalld(const FirewallRules& rules, StepList& steps) {
  const auto path = [](const std::string& policy) { return "/etc/firewalld/policies/" + policy + ".xml"; };
  std::vector<std::string> files;
  TRY_ASSIGN(std::string input, render_firewalld_input(rules));
  files.push_back(steps.add("firewalld-input", WriteFile{path(rules.name), std::move(input)}));
  if (!rules.forward.empty()) {
    const std::string policy = rules.name + "-forward";
    TRY_ASSIGN(std::string forward, render_firewalld_forward(rules));
    files.push_back(steps.add("firewalld-forward", WriteFile{path(policy), std::move(forward)}));
  }
  const std::vector<std::string> check{"firewall-cmd", "--info-policy=" + rules.name};
  steps.add("firewalld",
            Run{.arguments = {"firewall-cmd", "--reload"}, .check = check, .restart_on = std::move(files)},
            kOrLeaveIt);
  steps.add("firewalld-open", WaitFor{CommandSucceeds{.arguments = check}, std::chrono::seconds(10)},
            "journalctl -u firewalld; it knows policies since version 0.9");
  return {};
}

/// `ufw reload` is not for a host with open connections: between its stop and its start nothing is filtered,
/// nor tracked, and a transfer that runs then may stand still for ever, because its next packets are out of
/// the window that the kernel remembers. One transaction brings our chains up to date instead.
Status open_ufw(const FirewallRules& rules, StepList& steps) {
  TRY_ASSIGN(std::string text, render_ufw_rules(rules));
  const std::string ufw = rules.v6 ? "ufw6" : "ufw";
  const std::string file =
      steps.add("ufw-rules", FileBlock{rules.v6 ? "/etc/ufw/after6.rules" : "/etc/ufw/after.rules",
                                       rules.name + "-firewall", std::move(text)});
  TRY_ASSIGN(std::string chains, render_ufw_chains(rules));
  const std::string iptables = rules.v6 ? "ip6tables" : "iptables";
  const auto rule = [&](const char* verb, const std::string& place) {
    return std::vector<std::string>{
        iptables, "--wait", verb, ufw + "-after-" + place, "-j", rules.name + "-" + place};
  };
  steps.add("ufw",
            Run{.arguments = {iptables + "-restore", "--wait", "--noflush"},
                .input = std::move(chains),
                .check = rule("--check", "input"),
                .restart_on = {file}},
            kOrLeaveIt);
  steps.add("ufw-input", Run{.arguments = rule("--append", "input"), .check = rule("--check", "input")},
            kOrLeaveIt);
  if (!rules.pods.empty())
    steps.add("ufw-forward",
              Run{.arguments = rule("--append", "forward"), .check = rule("--check", "forward")}, kOrLeaveIt);
  return {};
}

}  // namespace

Status open_firewalls(const Facts& facts, const FirewallRules& rules, StepList& steps) {
  for (const std::string& firewall : manageable_firewalls(facts))
    TRY(firewall == "ufw" ? open_ufw(rules, steps) : open_firewalld(rules, steps));
  return {};
}

}  // namespace sealift::installer
