#include <memory>

#include <CLI/CLI.hpp>

#include "installer/commands/commands.hpp"
#include "installer/commands/site_options.hpp"

namespace sealift::installer {
namespace {

struct PreflightOptions {
  SiteFiles files;
  bool json = false;
};

Status run_preflight(const PreflightOptions& options, const CommandEnvironment& environment) {
  TRY_ASSIGN(const OpenedSite opened, open_site(options.files));
  TRY_ASSIGN(const Sessions sessions, connect_hosts(opened.cluster, opened.deploy, opened.agent));
  TRY_ASSIGN(const auto reports, ask_hosts(opened, sessions));
  const std::vector<Finding> findings = look_at(opened, reports);
  if (!options.json) {
    TRY(report_findings(findings, environment.log));
    fmt::print("{} hosts are ready for Kubernetes {}\n", opened.cluster.hosts.size(),
               opened.contents.kubernetes_version);
    return {};
  }
  json::Array list;
  for (const Finding& finding : findings) list.push_back(to_json(finding));
  const Status result = verdict(findings);
  fmt::print("{}", json::serialize_pretty(json::Object{
                       {"version", 1}, {"ready", result.has_value()}, {"findings", std::move(list)}}));
  return result;
}

}  // namespace

void add_preflight(CLI::App& app, sealift::Action& action) {
  auto options = std::make_shared<PreflightOptions>();
  CLI::App* command = app.add_subcommand(
      "preflight", "Look for everything that would make an installation fail; changes nothing");
  add_site_options(*command, options->files);
  command->add_flag("--json", options->json, "Print the findings as JSON");
  command->footer("Example:\n  sealift preflight -f cluster.yaml --bundle k8s-ha.tar --key sealift.pub");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) {
      return run_preflight(*options, environment);
    };
  });
}

}  // namespace sealift::installer
