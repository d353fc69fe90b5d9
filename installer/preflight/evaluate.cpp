#include <algorithm>

#include "installer/preflight/preflight.hpp"

namespace sealift::installer {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::change:
      return "change";
  }
  return "";
}

std::vector<Finding> evaluate(const PreflightInput& input) {
  std::vector<Finding> findings;
  check_bundle_closure(input, findings);
  check_between_hosts(input, findings);
  check_running_cluster(input, findings);
  for (const Host& host : input.cluster.hosts)
    if (const auto found = input.hosts.find(host.name); found != input.hosts.end())
      check_one_host(input, host, found->second.facts, findings);
  if (const auto found = input.hosts.find(input.deploy); found != input.hosts.end())
    check_deploy_host(input, found->second.facts, findings);
  for (const std::string& warning : input.cluster.warnings)
    findings.push_back({Severity::warning, "", "cluster", warning, ""});
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  return findings;
}

std::string describe(const Finding& finding) {
  std::string text = finding.host.empty() ? finding.message : finding.host + ": " + finding.message;
  if (!finding.advice.empty()) text += ": " + finding.advice;
  return text;
}

json::Value to_json(const Finding& finding) {
  return json::Object{{"severity", to_string(finding.severity)},
                      {"host", finding.host},
                      {"subject", finding.subject},
                      {"message", finding.message},
                      {"advice", finding.advice}};
}

}  // namespace sealift::installer
