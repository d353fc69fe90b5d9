#include <CLI/CLI.hpp>

#include "builder/commands/commands.hpp"
#include "builder/commands/upstream_options.hpp"
#include "builder/lock/lock_bundle.hpp"
#include "lib/base/interrupt.hpp"

namespace sealift::builder {

namespace {

constexpr std::uint64_t kMaxSpecBytes = 1ULL << 20;

struct LockCommandOptions {
  std::string spec;
  std::string output;
  std::vector<std::string> baselines;
  UpstreamOptions upstream;
};

/// Named baselines lie beside the profile, in the installed program's share folder, or in the source tree.
std::vector<fs::path> baseline_directories(const LockCommandOptions& options,
                                           const fs::path& spec_directory) {
  std::vector<fs::path> directories(options.baselines.begin(), options.baselines.end());
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& path :
       {spec_directory, spec_directory / "baselines", spec_directory / "../baselines",
        program / "../share/sealift/baselines", program / "../../../manifests/baselines"}) {
    directories.push_back(path);
  }
  return directories;
}

Status run_lock(const LockCommandOptions& options, const CommandEnvironment& environment) {
  TRY_ASSIGN(const std::string text, read_file(options.spec, kMaxSpecBytes));
  TRY_ASSIGN(const bundle::Spec spec, bundle::parse_spec(text, options.spec));
  TRY_ASSIGN(const Interrupts interrupts, Interrupts::watch());
  TRY_ASSIGN(const auto fetcher,
             make_fetcher(options.upstream, spec.mirrors, interrupts.token(), environment.log));
  const fs::path spec_path(options.spec);
  const fs::path directory = spec_path.has_parent_path() ? spec_path.parent_path() : fs::path(".");
  const LockOptions lock_options{directory, baseline_directories(options, directory), now(),
                                 options.upstream.jobs};
  TRY_ASSIGN(bundle::Lock lock, lock_bundle(spec, *fetcher, lock_options, environment.log));
  lock.spec_digest = digest_of(text).str();
  const fs::path output =
      options.output.empty() ? fs::path(options.spec).replace_extension(".lock") : fs::path(options.output);
  TRY(write_file_atomically(output, bundle::write_lock(lock)));
  environment.log.info("wrote {}; commit it, then run: sealift create -f {} ...", output.string(),
                       options.spec);
  return {};
}

}  // namespace

void add_lock(CLI::App& app, Action& action) {
  auto options = std::make_shared<LockCommandOptions>();
  CLI::App* command = app.add_subcommand("lock", "Resolve bundle.yaml to digests and sizes: bundle.lock");
  command->add_option("-f,--file", options->spec, "bundle.yaml")->required();
  command->add_option("-o,--output", options->output,
                      "Lock file (default: the name of bundle.yaml with .lock)");
  command->add_option("--baselines", options->baselines,
                      "Folder with named baselines (<name>.list), searched first; repeatable");
  add_upstream_options(*command, options->upstream);
  command->footer("Example:\n  sealift lock -f bundle.yaml");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_lock(*options, environment); };
  });
}

}  // namespace sealift::builder
