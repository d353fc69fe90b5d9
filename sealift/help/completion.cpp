#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sealift/help/help.hpp"

namespace sealift {

namespace {

/// Long option names of a command with their dashes.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string bash_script(const CLI::App& program) {
  std::string verbs;
  std::string cases;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    verbs += (verbs.empty() ? "" : " ") + command->get_name();
    cases +=
        fmt::format("    {}) words='{}' ;;\n", command->get_name(), fmt::join(option_names(*command), " "));
  }
  return fmt::format(R"(_sealift() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} verb= word words=
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in -*) ;; *) verb=$word; break ;; esac
  done
  case $verb in
    '') words='{} {}' ;;
{}  esac
  if [[ -z $verb || $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -o filenames -F _sealift sealift
)",
                     verbs, fmt::join(option_names(program), " "), cases);
}

std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string fish_script(const CLI::App& program) {
  std::string script;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    script += fmt::format("complete -c sealift -n __fish_use_subcommand -a {} -d {}\n", command->get_name(),
                          fish_quoted(command->get_description()));
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        script += fmt::format("complete -c sealift -n '__fish_seen_subcommand_from {}' -l {} -d {}\n",
                              command->get_name(), name, fish_quoted(option->get_description()));
      }
    }
  }
  return script;
}

}  // namespace

std::string write_completion(const CLI::App& program, const std::string& shell) {
  if (shell == "fish") return fish_script(program);
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(program);
  return bash_script(program);
}

}  // namespace sealift
