#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "lib/base/exit_status.hpp"
#include "lib/base/version.hpp"
#include "sealift/help/help.hpp"

namespace sealift {

namespace {

/// Text of a description for roff: no line may begin with a control character, dashes stay dashes.
std::string roff(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

void write_options(const CLI::App& command, std::string& out) {
  for (const CLI::Option* option : command.get_options()) {
    std::string name = option->get_positional() ? option->get_name(true) : option->get_name(false, true);
    if (option->get_items_expected_max() > 0 && !option->get_positional())
      name += " " + option->get_type_name();
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff(option->get_description()));
    if (!option->get_default_str().empty())
      out += fmt::format("(default: {})\n", roff(option->get_default_str()));
  }
}

/// The table of docs/exit-codes.md.
void write_exit_statuses(std::string& out) {
  out += ".SH EXIT STATUS\nEach failure also has a name, which \\-\\-json prints.\n.TP\n\\fB0\\fR\nsuccess\n";
  for (const ExitStatus& row : exit_statuses()) {
    out += fmt::format(".TP\n\\fB{}\\fR {}\n{}{}{}\n", row.status, roff(std::string(row.name)),
                       roff(std::string(row.meaning)), row.advice.empty() ? "" : "; ",
                       roff(std::string(row.advice)));
  }
}

}  // namespace

std::string write_manual(const CLI::App& program) {
  std::string out =
      fmt::format(".TH SEALIFT 1 \"\" \"sealift {}\" \"User Commands\"\n.SH NAME\nsealift \\- {}\n",
                  kSealiftVersion, "carry a highly available Kubernetes across an air gap");
  out += ".SH SYNOPSIS\n.B sealift\n[\\fIoptions\\fR] \\fIcommand\\fR [\\fIcommand options\\fR]\n";
  out += fmt::format(".SH DESCRIPTION\n{}\n.SH OPTIONS\n", roff(program.get_description()));
  write_options(program, out);
  out += ".SH COMMANDS\n";
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    out += fmt::format(".SS {}\n{}\n", roff(command->get_name()), roff(command->get_description()));
    write_options(*command, out);
    if (!command->get_footer().empty())
      out += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command->get_footer()));
  }
  write_exit_statuses(out);
  return out;
}

}  // namespace sealift
