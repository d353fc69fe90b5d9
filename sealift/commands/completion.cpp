#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sealift/commands/commands.hpp"
#include "sealift/help/help.hpp"

namespace sealift {

void add_completion(CLI::App& app, Action& action) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  sealift completion bash >/etc/bash_completion.d/sealift\n"
      "  sealift completion fish >/etc/fish/completions/sealift.fish\n"
      "  source <(sealift completion zsh)      # in ~/.zshrc");
  command->callback([shell, &app, &action] {
    action = [shell, &app](const CommandEnvironment&) -> Status {
      fmt::print("{}", write_completion(app, *shell));
      return {};
    };
  });
}

void add_man(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("man", "Print the manual page");
  command->footer("Example:\n  sealift man >/usr/local/share/man/man1/sealift.1");
  command->callback([&app, &action] {
    action = [&app](const CommandEnvironment&) -> Status {
      fmt::print("{}", write_manual(app));
      return {};
    };
  });
}

}  // namespace sealift
