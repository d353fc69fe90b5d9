#include "sealift/cli.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/command.hpp"
#include "lib/base/version.hpp"
#include "sealift/commands/commands.hpp"
#ifdef SEALIFT_COMPLETE
#include "builder/commands/commands.hpp"
#endif
#ifdef SEALIFT_WITH_SERVER
#include "repo-server/commands/commands.hpp"
#endif
#ifdef SEALIFT_WITH_INSTALLER
#include "installer/commands/commands.hpp"
#endif

namespace sealift {

namespace {

/// Every command there is, in the order of the work.
constexpr AddCommand kCommands[] = {
#ifdef SEALIFT_COMPLETE
    builder::add_keygen,
    builder::add_lock,
    builder::add_create,
#endif
    add_sign,
    add_info,
    add_ls,
    add_verify,
#ifdef SEALIFT_WITH_SERVER
    repo_server::add_serve,
#endif
#ifdef SEALIFT_WITH_INSTALLER
    installer::add_preflight,
    installer::add_plan,
    installer::add_install,
    installer::add_status,
    installer::add_agent,
#endif
    add_completion,
    add_man,
};

struct GlobalOptions {
  bool verbose = false;
  bool quiet = false;
  bool no_progress = false;

  LogLevel level() const { return quiet ? LogLevel::error : verbose ? LogLevel::debug : LogLevel::info; }
};

int run_action(const Action& action, const GlobalOptions& options) {
  Log log(options.level());
  const bool silent = options.no_progress || options.quiet;
  Status status;
  try {
    status = action({log, silent ? ProgressStyle::none : ProgressStyle::automatic});
  } catch (const std::system_error& error) {
    // fmt throws when standard output goes away half-way (`| head`).
    status = fail(ErrorCode::io, "{}", error.what());
  } catch (const std::exception& error) {
    status = fail(ErrorCode::internal, "unexpected: {}; please report this", error.what());
  }
  if (!status) {
    log.error("{}", status.error().message());
    return exit_status(status.error().code());
  }
  // A result that could not be written is no result.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    log.error("cannot write to standard output");
    return exit_status(ErrorCode::io);
  }
  return 0;
}

/// Where one is closed, the next file to be opened would take its place and get our messages.
void fill_standard_streams() {
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0; fd = ::open("/dev/null", O_RDWR)) {
    if (fd <= STDERR_FILENO) continue;
    ::close(fd);
    return;
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  fill_standard_streams();
  // A reader that goes away (`| head`, a closed connection) shows as an error of that write, not as our
  // death.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app(
      "Carries a highly available Kubernetes across an air gap: one signed file that is its own registry and "
      "package repository.",
      "sealift");
  GlobalOptions options;
  Action action;
  app.set_version_flag("--version", std::string("sealift ") + std::string(kSealiftVersion));
  app.add_flag("-v,--verbose", options.verbose, "Say more");
  app.add_flag("-q,--quiet", options.quiet, "Say only what went wrong");
  app.add_flag("--no-progress", options.no_progress, "Show no progress");
  app.require_subcommand(1);
  app.fallthrough();
  for (const AddCommand add : kCommands) add(app, action);
  app.footer(
      "Exit status: 0 success, 2 usage or configuration, 8 damaged, 9 not trusted; all of them: sealift man");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : exit_status(ErrorCode::invalid_argument);
  }
  return run_action(action, options);
}

}  // namespace sealift
