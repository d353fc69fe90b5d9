#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sealift/help/help.hpp"

namespace sealift {

namespace {

using Words = std::vector<std::string>;

std::vector<const CLI::App*> commands(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

/// The words an option or argument is limited to: CLI::IsMember writes them as {a,b,c} into the type's name.
Words choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// Every name of an option with its dashes.
Words names(const CLI::Option& option) {
  Words all;
  for (const std::string& name : option.get_snames()) all.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) all.push_back("--" + name);
  return all;
}

/// Long names of the command's options.
Words flags(const CLI::App& command) {
  Words all;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) all.push_back("--" + name);
  }
  return all;
}

/// Names of the options whose next word is their value.
Words valued(const CLI::App& command) {
  Words all;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() || !takes_value(*option)) continue;
    for (std::string& name : names(*option)) all.push_back(std::move(name));
  }
  return all;
}

/// Arguments that stand at a place of their own, in order; none after one that repeats.
std::vector<const CLI::Option*> arguments(const CLI::App& command) {
  std::vector<const CLI::Option*> all;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    all.push_back(option);
    if (option->get_items_expected_max() > 1) break;
  }
  return all;
}

/// The cases of bash_script() that know words: 'ls 1', the second argument of ls, or 'keygen --algorithm'.
std::string bash_choices(const CLI::App& command) {
  std::string cases;
  const auto add = [&](const CLI::Option& option, const std::string& where) {
    const Words words = choices(option);
    if (words.empty()) return;
    cases += fmt::format("      '{} {}') offers='{}' ;;\n", command.get_name(), where, fmt::join(words, " "));
  };
  const auto places = arguments(command);
  for (std::size_t place = 0; place < places.size(); ++place) add(*places[place], std::to_string(place));
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : names(*option)) add(*option, name);
  }
  return cases;
}

/// For bash and, through bashcompinit, for zsh: only what both understand, and no variable that is special in
/// zsh (words, options, path). Where nothing is offered, both complete file names.
std::string bash_script(const CLI::App& program) {
  Words verbs;
  std::string settings;
  std::string offers;
  for (const CLI::App* command : commands(program)) {
    verbs.push_back(command->get_name());
    settings += fmt::format("        {}) flags='{}' valued=' {} ' ;;\n", command->get_name(),
                            fmt::join(flags(*command), " "), fmt::join(valued(*command), " "));
    offers += bash_choices(*command);
  }
  return fmt::format(R"(_sealift() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} verb= flags= valued= takes= place=0 offers= word= i=0
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [[ -n $takes ]]; then
      [[ $word == '=' ]] || takes=
    elif [[ $word == -* ]]; then
      [[ $valued != *" $word "* ]] || takes=$word
    elif [[ -n $verb ]]; then
      place=$((place + 1))
    else
      verb=$word
      case $verb in
{}      esac
    fi
  done
  [[ $current != '=' ]] || current=
  if [[ -z $takes && $current == -* ]]; then
    offers="$flags {}"
  elif [[ -z $verb ]]; then
    offers='{}'
  else
    case "$verb ${{takes:-$place}}" in
{}    esac
  fi
  COMPREPLY=($(compgen -W "$offers" -- "$current"))
}}
complete -o default -F _sealift sealift
)",
                     settings, fmt::join(flags(program), " "), fmt::join(verbs, " "), offers);
}

std::string zsh_script(const CLI::App& program) {
  return "whence compdef >/dev/null || { autoload -U +X compinit && compinit -i }\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(program);
}

std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

/// One option for fish; `condition` is empty for those of the program.
std::string fish_option(const CLI::Option& option, const std::string& condition) {
  std::string line = "complete -c sealift" + condition;
  for (const std::string& name : option.get_snames()) line += " -s " + name;
  for (const std::string& name : option.get_lnames()) line += " -l " + name;
  const Words words = choices(option);
  if (!words.empty()) {
    line += " -x -a " + fish_quoted(fmt::format("{}", fmt::join(words, " ")));
  } else if (takes_value(option)) {
    line += " -r";
  }
  return line + " -d " + fish_quoted(option.get_description()) + "\n";
}

constexpr const char* kFishPlace = R"(function __sealift_at -a verb place
    set -l seen
    set -l skip 0
    set -l line (commandline -opc)
    set -e line[1]
    for word in $line
        if test $skip = 1
            set skip 0
        else if contains -- $word $argv[3..]
            set skip 1
        else if not string match -q -- '-*' $word
            set -a seen $word
        end
    end
    test "$seen[1]" = $verb; and test (count $seen) -eq (math $place + 1)
end
)";

std::string fish_command(const CLI::App& command) {
  const std::string name = command.get_name();
  std::string script = fmt::format("complete -c sealift -n __fish_use_subcommand -f -a {} -d {}\n", name,
                                   fish_quoted(command.get_description()));
  const std::string condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", name);
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) script += fish_option(*option, condition);
  }
  const auto places = arguments(command);
  for (std::size_t place = 0; place < places.size(); ++place) {
    const Words words = choices(*places[place]);
    if (words.empty()) continue;
    script += fmt::format("complete -c sealift -n '__sealift_at {} {} {}' -f -a '{}'\n", name, place,
                          fmt::join(valued(command), " "), fmt::join(words, " "));
  }
  return script;
}

std::string fish_script(const CLI::App& program) {
  std::string script = kFishPlace;
  for (const CLI::Option* option : program.get_options()) script += fish_option(*option, "");
  for (const CLI::App* command : commands(program)) script += fish_command(*command);
  return script;
}

}  // namespace

std::string write_completion(const CLI::App& program, const std::string& shell) {
  if (shell == "fish") return fish_script(program);
  if (shell == "zsh") return zsh_script(program);
  return bash_script(program);
}

}  // namespace sealift
