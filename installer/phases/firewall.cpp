#include "installer/phases/firewall.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kOrLeaveIt = "'firewall: {manage: false}' in cluster.yaml leaves it to you";

/// Has the firewall read its files when they changed, or do not hold: `check` tells.
void add_reload(const std::string& firewall, std::vector<std::string> reload, std::vector<std::string> check,
                std::vector<std::string> files, const std::string& hint, StepList& steps) {
  steps.add(firewall, Run{.arguments = std::move(reload), .check = check, .restart_on = std::move(files)},
            kOrLeaveIt);
  steps.add(firewall + "-open",
            WaitFor{CommandSucceeds{.arguments = std::move(check)}, std::chrono::seconds(10)}, hint);
}

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
  add_reload("firewalld", {"firewall-cmd", "--reload"}, {"firewall-cmd", "--info-policy=" + rules.name},
             std::move(files), "journalctl -u firewalld; it knows policies since version 0.9", steps);
  return {};
}

Status open_ufw(const FirewallRules& rules, StepList& steps) {
  TRY_ASSIGN(std::string text, render_ufw_rules(rules));
  const std::string file =
      steps.add("ufw-rules", FileBlock{rules.v6 ? "/etc/ufw/after6.rules" : "/etc/ufw/after.rules",
                                       rules.name + "-firewall", std::move(text)});
  add_reload("ufw", {"ufw", "reload"},
             {rules.v6 ? "ip6tables" : "iptables", "-C", rules.v6 ? "ufw6-after-input" : "ufw-after-input",
              "-j", rules.name + "-input"},
             {file}, "'ufw reload' on the host says why", steps);
  return {};
}

}  // namespace

Status open_firewalls(const Facts& facts, const FirewallRules& rules, StepList& steps) {
  for (const std::string& firewall : manageable_firewalls(facts))
    TRY(firewall == "ufw" ? open_ufw(rules, steps) : open_firewalld(rules, steps));
  return {};
}

}  // namespace sealift::installer
