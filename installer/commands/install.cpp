#include <atomic>
#include <memory>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

#include "installer/commands/commands.hpp"
#include "installer/commands/plan_text.hpp"
#include "installer/commands/site_options.hpp"
#include "installer/phases/steps.hpp"
#include "installer/plan/execute.hpp"
#include "installer/render/balancer.hpp"
#include "lib/base/interrupt.hpp"

namespace sealift::installer {
namespace {

struct InstallOptions {
  SiteFiles files;
  std::string log_directory = "sealift-logs";
  bool yes = false;
  bool json = false;
  bool dry_run = false;
};

Status confirm(const InstallOptions& options, const OpenedSite& opened, const std::stop_token& stop) {
  if (options.yes || ::isatty(STDIN_FILENO) == 0) return {};
  fmt::print(stderr, "Install Kubernetes {} as cluster '{}' on {} hosts? [y/N] ",
             opened.contents.kubernetes_version, opened.cluster.name, opened.cluster.hosts.size());
  for (pollfd terminal{STDIN_FILENO, POLLIN, 0}; ::poll(&terminal, 1, 200) <= 0;)
    if (stop.stop_requested()) return fail(ErrorCode::interrupted, "nothing was changed");
  const int answer = std::getchar();
  if (answer == 'y' || answer == 'Y') return {};
  return fail(ErrorCode::interrupted, "nothing was changed");
}

json::Object summary_json(const Executed& executed) {
  const Cluster& cluster = executed.site.cluster;
  return {{"version", 1},
          {"event", "summary"},
          {"changed", executed.summary.changes.size()},
          {"unchanged", executed.summary.unchanged_steps},
          {"failed", executed.summary.failures.size()},
          {"endpoint", "https://" + cluster.endpoint.host_and_port()},
          {"kubeconfig", kubeconfig_path(cluster.name)}};
}

void say_what_next(const Executed& executed) {
  const Cluster& cluster = executed.site.cluster;
  const std::string config = kubeconfig_path(cluster.name);
  fmt::print(
      "Cluster '{}' runs Kubernetes {} on {} nodes ({} steps changed something, {} were as they should "
      "be).\n",
      cluster.name, executed.site.contents.kubernetes_version, cluster.nodes().size(),
      executed.summary.changes.size(), executed.summary.unchanged_steps);
  fmt::print("  API         https://{}\n  kubeconfig  {}\n", cluster.endpoint.host_and_port(), config);
  fmt::print("  images      {}   packages and files  {}\n", executed.site.mirror.registry_url(),
             executed.site.mirror.repository_url());
  if (cluster.balancers().size() > 1)
    fmt::print(
        "  When the host that holds the API address fails, another one takes it after about {:.1f} s.\n",
        expected_takeover_seconds(keepalived_priority(1, cluster.balancers().size())));
  fmt::print("Next:\n  kubectl --kubeconfig {} get nodes\n  sealift status -f cluster.yaml\n", config);
}

Status run_install(const InstallOptions& options, const CommandEnvironment& environment) {
  if (options.dry_run) return show_plan(options.files, options.json, environment);
  if (::geteuid() != 0)
    return fail(ErrorCode::precondition, "install sets up the mirror on this machine and needs root here");
  TRY_ASSIGN(const Interrupts interrupts, Interrupts::watch());
  std::atomic<bool> stop_requested{false};
  const std::stop_callback on_interrupt(interrupts.token(), [&] { stop_requested.store(true); });
  TRY_ASSIGN(const OpenedSite opened, open_site(options.files));
  TRY_ASSIGN(const Sessions sessions, connect_hosts(opened.cluster, opened.deploy, opened.agent));
  const auto tell = [&](const std::string& host, const std::string& text) {
    environment.log.info("{}: {}", host, text);
  };
  TRY(hold_all(sessions, tell, stop_requested));
  TRY_ASSIGN(const auto reports, ask_hosts(opened, sessions));
  TRY(report_findings(look_at(opened, reports), environment.log));
  TRY(confirm(options, opened, interrupts.token()));
  TRY(verify_completely(opened, environment.progress, &stop_requested));
  ExecuteOptions execution;
  execution.style = options.json ? ReportStyle::json : ReportStyle::automatic;
  if (environment.progress == ProgressStyle::none && !options.json) execution.style = ReportStyle::plain;
  execution.log_directory = options.log_directory;
  execution.progress = environment.progress;
  execution.cancel = &stop_requested;
  TRY_ASSIGN(const Executed executed, execute(opened, sessions, reports, execution));
  if (options.json) fmt::print("{}\n", json::serialize(summary_json(executed)));
  TRY(to_status(executed.summary));
  if (!options.json) say_what_next(executed);
  return {};
}

}  // namespace

void add_install(CLI::App& app, sealift::Action& action) {
  auto options = std::make_shared<InstallOptions>();
  CLI::App* command = app.add_subcommand(
      "install", "Install the cluster; run again, it continues where it stopped and changes what differs");
  add_site_options(*command, options->files);
  command->add_option("--log-dir", options->log_directory, "Folder for one log file per host")
      ->capture_default_str();
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  command->add_flag("--json", options->json, "Print what happens as JSON, one event a line");
  command->add_flag("--dry-run", options->dry_run, "The same as `sealift plan`");
  command->footer("Example:\n  sealift install -f cluster.yaml --bundle k8s-ha.tar --key sealift.pub");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_install(*options, environment); };
  });
}

}  // namespace sealift::installer
