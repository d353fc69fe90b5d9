#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "installer/commands/commands.hpp"
#include "installer/commands/plan_text.hpp"
#include "installer/commands/site_options.hpp"
#include "installer/phases/phases.hpp"
#include "installer/plan/execute.hpp"

namespace sealift::installer {
namespace {

struct PlanOptions {
  SiteFiles files;
  bool json = false;
};

Status run_plan_command(const PlanOptions& options, const CommandEnvironment& environment) {
  return show_plan(options.files, options.json, environment);
}

}  // namespace

Status show_plan(const SiteFiles& files, bool json, const CommandEnvironment& environment) {
  TRY_ASSIGN(const OpenedSite opened, open_site(files));
  TRY_ASSIGN(const Sessions sessions, connect_hosts(opened.cluster, opened.deploy, opened.agent));
  TRY_ASSIGN(const auto reports, ask_hosts(opened, sessions));
  TRY(report_findings(look_at(opened, reports), environment.log));
  ExecuteOptions execution;
  execution.mode = StepMode::check;
  execution.style = ReportStyle::none;
  TRY_ASSIGN(const Executed executed, execute(opened, sessions, reports, execution));
  TRY(to_status(executed.summary));
  fmt::print("{}",
             json ? plan_json(executed.summary, phase_names()) : plan_text(executed.summary, phase_names()));
  return {};
}

void add_plan(CLI::App& app, sealift::Action& action) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command =
      app.add_subcommand("plan", "Show what an installation would change on each host; changes nothing");
  add_site_options(*command, options->files);
  command->add_flag("--json", options->json, "Print the plan as JSON");
  command->footer("Example:\n  sealift plan -f cluster.yaml --bundle k8s-ha.tar --key sealift.pub");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) {
      return run_plan_command(*options, environment);
    };
  });
}

}  // namespace sealift::installer
