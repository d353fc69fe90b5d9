#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "repo-server/commands/commands.hpp"
#include "repo-server/http/listen.hpp"
#include "repo-server/mirror.hpp"
#include "repo-server/unit_files.hpp"

namespace sealift::repo_server {

namespace {

struct ServeOptions {
  MirrorOptions mirror;
  std::vector<std::string> bundles;
  std::vector<std::string> keys;
  std::string state_directory;
  std::string tls_certificate;
  std::string tls_key;
  bool tls_only = false;
  bool no_tls = false;
  bool no_background_verify = false;
  bool print_unit = false;
  unsigned idle_seconds = 75;
};

std::string absolute(const std::string& path) {
  return path.empty() ? "" : fs::absolute(path).lexically_normal().string();
}

bool is_file(const std::string& access_log) { return access_log != "-" && access_log != "off"; }

/// The options of `serve` that its unit carries too: all but the state directory and the TLS files, which
/// systemd gives it.
std::vector<std::string> unit_arguments(const ServeOptions& options) {
  const ServeOptions defaults;
  std::vector<std::string> arguments;
  for (const auto& key : options.keys) arguments.insert(arguments.end(), {"--key", absolute(key)});
  if (options.mirror.threshold != 1)
    arguments.insert(arguments.end(), {"--threshold", std::to_string(options.mirror.threshold)});
  for (const auto& address : options.mirror.listen) arguments.insert(arguments.end(), {"--listen", address});
  for (const auto& name : options.mirror.names) arguments.insert(arguments.end(), {"--name", name});
  for (const auto& address : options.mirror.addresses)
    arguments.insert(arguments.end(), {"--address", address});
  arguments.insert(arguments.end(), {"--registry-port", std::to_string(options.mirror.registry_port)});
  arguments.insert(arguments.end(), {"--repository-port", std::to_string(options.mirror.repository_port)});
  if (options.tls_only) arguments.emplace_back("--tls-only");
  if (options.no_tls) arguments.emplace_back("--no-tls");
  const auto add_number = [&](const char* name, auto value, auto standard) {
    if (value != standard) arguments.insert(arguments.end(), {name, std::to_string(value)});
  };
  add_number("--max-connections", options.mirror.limits.connections, defaults.mirror.limits.connections);
  add_number("--idle-timeout", options.idle_seconds, defaults.idle_seconds);
  add_number("--threads", options.mirror.limits.threads, defaults.mirror.limits.threads);
  if (options.mirror.access_log != defaults.mirror.access_log)
    arguments.insert(arguments.end(),
                     {"--access-log", is_file(options.mirror.access_log) ? absolute(options.mirror.access_log)
                                                                         : options.mirror.access_log});
  if (options.no_background_verify) arguments.emplace_back("--no-background-verify");
  for (const auto& bundle : options.bundles) arguments.push_back(absolute(bundle));
  return arguments;
}

/// Everything but the state directory is read-only to the unit.
Status check_unit_can_write(const ServeOptions& options) {
  if (!options.state_directory.empty() && fs::path(options.state_directory) != kUnitStateDirectory)
    return fail(ErrorCode::invalid_argument, "--state-dir {}: the unit keeps its state in {}",
                options.state_directory, kUnitStateDirectory);
  const std::string& log = options.mirror.access_log;
  const fs::path below = fs::path(absolute(log)).lexically_relative(kUnitStateDirectory);
  if (is_file(log) && (below.empty() || *below.begin() == ".." || *below.begin() == "."))
    return fail(
        ErrorCode::invalid_argument,
        "--access-log {}: the unit can write to {} only; give a file there, - for the journal, or off", log,
        kUnitStateDirectory);
  return {};
}

Status print_units(const ServeOptions& options) {
  TRY(check_unit_can_write(options));
  std::vector<std::string> listen;
  for (const std::string& address : options.mirror.listen) {
    for (const std::uint16_t port : {options.mirror.registry_port, options.mirror.repository_port}) {
      TRY_ASSIGN(std::string text, http::address_text(address, port));
      listen.push_back(std::move(text));
    }
  }
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) program = "/usr/local/bin/sealift";
  const UnitSettings settings{program.string(), unit_arguments(options), absolute(options.tls_certificate),
                              absolute(options.tls_key), std::move(listen)};
  std::printf(
      "# /etc/systemd/system/sealift.service\n%s\n# /etc/systemd/system/sealift.socket (optional: start with "
      "the first connection)\n%s",
      service_unit(settings).c_str(), socket_unit(settings).c_str());
  if (!settings.tls_certificate.empty()) {
    std::printf(
        "\n# /etc/systemd/system/sealift-tls.path (enable it, so that a replaced certificate is taken)\n%s\n"
        "# /etc/systemd/system/sealift-tls.service (started by it)\n%s",
        certificate_path_unit(settings).c_str(), certificate_service_unit().c_str());
  }
  return {};
}

Status run_serve(ServeOptions options, const CommandEnvironment& environment) {
  if (options.print_unit) return print_units(options);
  MirrorOptions& mirror = options.mirror;
  mirror.bundles.assign(options.bundles.begin(), options.bundles.end());
  mirror.keys.assign(options.keys.begin(), options.keys.end());
  if (!options.state_directory.empty()) mirror.state_directory = options.state_directory;
  if (!options.tls_certificate.empty()) mirror.tls_certificate = options.tls_certificate;
  if (!options.tls_key.empty()) mirror.tls_key = options.tls_key;
  mirror.tls = options.tls_only ? http::TlsMode::tls_only
               : options.no_tls ? http::TlsMode::plain_only
                                : http::TlsMode::both;
  mirror.verify_in_background = !options.no_background_verify;
  mirror.limits.idle = std::chrono::seconds(options.idle_seconds);
  return serve(mirror, environment.log);
}

void add_network_options(CLI::App& command, ServeOptions& options) {
  command
      .add_option("--listen", options.mirror.listen, "Numeric address to listen on; repeatable; :: for IPv6")
      ->allow_extra_args(false)
      ->capture_default_str();
  command.add_option("--registry-port", options.mirror.registry_port, "Port of the container registry")
      ->capture_default_str();
  command
      .add_option("--repository-port", options.mirror.repository_port,
                  "Port of packages, files and the web page")
      ->capture_default_str();
  command.add_option("--max-connections", options.mirror.limits.connections, "Connections at one time")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option("--idle-timeout", options.idle_seconds, "Seconds a connection may wait between requests")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command.add_option("--threads", options.mirror.limits.threads, "Threads that serve; 0: one per core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      .add_option("--access-log", options.mirror.access_log,
                  "File for one line per request, - for standard error, or off")
      ->capture_default_str();
}

void add_tls_options(CLI::App& command, ServeOptions& options) {
  auto* certificate = command.add_option("--tls-cert", options.tls_certificate,
                                         "Certificate chain (PEM) to use instead of the site's own CA");
  auto* key = command.add_option("--tls-key", options.tls_key, "Its private key (PEM, mode 0600)");
  certificate->needs(key);
  key->needs(certificate);
  auto* only =
      command.add_flag("--tls-only", options.tls_only, "Refuse plain HTTP (by default a port speaks both)");
  command.add_flag("--no-tls", options.no_tls, "Plain HTTP only")->excludes(only);
  command
      .add_option("--name", options.mirror.names, "Further DNS name for the server certificate; repeatable")
      ->allow_extra_args(false);
  command
      .add_option("--address", options.mirror.addresses,
                  "Further address for the server certificate, such as a floating one; repeatable")
      ->allow_extra_args(false);
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command =
      app.add_subcommand("serve", "Serve bundles as container registry and package repository");
  command
      ->add_option("bundles", options->bundles,
                   "Bundles (.tar); a later one wins where two name the same thing")
      ->required();
  command->add_option("-k,--key", options->keys, "Public key that may sign bundles (sealift.pub); repeatable")
      ->allow_extra_args(false);
  command->add_option("--threshold", options->mirror.threshold, "How many of the keys must have signed")
      ->check(CLI::Range(1, 25))
      ->capture_default_str();
  command->add_option("--state-dir", options->state_directory,
                      "Folder for the site's CA and for what was verified; without it nothing is kept");
  add_network_options(*command, *options);
  add_tls_options(*command, *options);
  command->add_flag("--no-background-verify", options->no_background_verify,
                    "Check each blob only when it is first asked for");
  command->add_flag("--print-unit", options->print_unit, "Print systemd units for these options and end");
  command->footer(
      "Nothing is unpacked. A blob is sent only after its digest has been checked; the whole bundle is "
      "checked in the background.\n"
      "Ends on SIGTERM or SIGINT after finishing what it is sending.\n\n"
      "Example:\n"
      "  sealift serve --key sealift.pub --state-dir /var/lib/sealift-serve k8s-1.32.tar site-images.tar\n"
      "  sealift serve --key sealift.pub --print-unit k8s-1.32.tar");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_serve(*options, environment); };
  });
}

}  // namespace sealift::repo_server
