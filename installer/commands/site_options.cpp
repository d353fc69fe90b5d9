#include "installer/commands/site_options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace sealift::installer {

void add_site_options(CLI::App& command, SiteFiles& files) {
  command.add_option("-f,--file", files.cluster, "The cluster's description")->capture_default_str();
  command.add_option("--bundle", files.bundles, "Bundle to install from; repeatable, the later wins")
      ->required();
  command
      .add_option(
          "-k,--key", files.keys,
          "Public key that may have signed the bundles; repeatable, and --threshold says how many must")
      ->required();
  command.add_option("--threshold", files.threshold, "How many of the keys must have signed")
      ->check(CLI::Range(1U, 25U))
      ->capture_default_str();
  command.add_option("--agent", files.agent,
                     "Static sealift program to run on the hosts (default: this program)");
  command.add_flag("--swap-off", files.swap_off, "Turn swap off on the nodes instead of refusing them");
}

Status verdict(const std::vector<Finding>& findings) {
  std::size_t errors = 0;
  bool foreign = false;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::error) continue;
    ++errors;
    foreign = foreign || finding.subject == "other-cluster";
  }
  if (errors == 0) return {};
  return fail(foreign ? ErrorCode::conflict : ErrorCode::precondition,
              "preflight found {} error{}; nothing was changed", errors, errors == 1 ? "" : "s");
}

Status report_findings(const std::vector<Finding>& findings, Log& log) {
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error)
      log.error("{}", describe(finding));
    else if (finding.severity == Severity::warning)
      log.warning("{}", describe(finding));
    else
      log.info("{}", describe(finding));
  }
  return verdict(findings);
}

}  // namespace sealift::installer
