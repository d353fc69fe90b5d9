#include <memory>

#include <CLI/CLI.hpp>

#include "installer/commands/commands.hpp"
#include "installer/plan/cluster_status.hpp"
#include "installer/plan/open_site.hpp"

namespace sealift::installer {
namespace {

struct StatusOptions {
  std::string cluster = "cluster.yaml";
  std::string agent;
  bool json = false;
};

Status run_status(const StatusOptions& options, const CommandEnvironment&) {
  TRY_ASSIGN(const Cluster cluster, read_cluster(options.cluster));
  TRY_ASSIGN(const ClusterStatus status, look_at_cluster(cluster, options.agent));
  fmt::print("{}", options.json ? json::serialize_pretty(to_json(status)) : status_text(status));
  if (status.healthy()) return {};
  return fail(ErrorCode::precondition, "cluster '{}' is not healthy", cluster.name);
}

}  // namespace

void add_status(CLI::App& app, sealift::Action& action) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = app.add_subcommand(
      "status", "Show the health of an installed cluster: nodes, etcd, API address, certificates");
  command->add_option("-f,--file", options->cluster, "The cluster's description")->capture_default_str();
  command->add_option("--agent", options->agent,
                      "Static sealift program to run on the hosts (default: this program)");
  command->add_flag("--json", options->json, "Print the status as JSON");
  command->footer(
      "Example:\n  sealift status -f cluster.yaml\n\nEnds with an error when something is not healthy.");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_status(*options, environment); };
  });
}

}  // namespace sealift::installer
