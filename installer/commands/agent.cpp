#include "installer/host/agent.hpp"

#include <memory>

#include <CLI/CLI.hpp>

#include "installer/commands/commands.hpp"

namespace sealift::installer {

void add_agent(CLI::App& app, Action& action) {
  auto options = std::make_shared<AgentOptions>();
  CLI::App* command = app.add_subcommand("agent",
                                         "Serve install steps on standard input and output (started by "
                                         "`sealift install` on each host, not by people)");
  command->add_option("--root", options->root, "Put this before the paths of files (tests)");
  command->footer("Example: ssh root@host /var/lib/sealift/agent/sealift-<digest> agent < requests");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment&) { return serve_agent(*options); };
  });
}

}  // namespace sealift::installer
