#include <CLI/CLI.hpp>

#include "builder/assemble/program.hpp"
#include "builder/commands/commands.hpp"
#include "builder/commands/upstream_options.hpp"
#include "builder/create/create_bundle.hpp"
#include "lib/base/interrupt.hpp"

namespace sealift::builder {

namespace {

constexpr std::uint64_t kMaxSpecBytes = 1ULL << 20;
constexpr std::uint64_t kMaxLockBytes = 256ULL << 20;

struct CreateOptions {
  std::string spec;
  std::string lock;
  std::string output;
  std::vector<std::string> keys;
  std::string repository_key;
  std::vector<std::string> programs;
  bool without_program = false;
  bool dry_run = false;
  UpstreamOptions upstream;
};

struct LockAndMirrors {
  bundle::Lock lock;
  std::vector<bundle::MirrorRule> mirrors;
};

/// The lock, and the mirror rules of bundle.yaml when it is given; a lock of another bundle.yaml is refused.
Result<LockAndMirrors> read_inputs(const CreateOptions& options) {
  if (options.spec.empty() && options.lock.empty()) {
    return fail(ErrorCode::invalid_argument,
                "give the lock with --lock, or bundle.yaml with -f (the lock lies beside it)");
  }
  const fs::path lock_path =
      options.lock.empty() ? fs::path(options.spec).replace_extension(".lock") : fs::path(options.lock);
  TRY_ASSIGN(const std::string lock_text, read_file(lock_path, kMaxLockBytes));
  LockAndMirrors inputs;
  TRY_ASSIGN(inputs.lock, bundle::parse_lock(lock_text, lock_path.string()));
  if (options.spec.empty()) return inputs;
  TRY_ASSIGN(const std::string text, read_file(options.spec, kMaxSpecBytes));
  if (!inputs.lock.spec_digest.empty() && inputs.lock.spec_digest != digest_of(text).str()) {
    return fail(ErrorCode::conflict, "{} has changed since {} was made; run sealift lock again", options.spec,
                lock_path.string());
  }
  TRY_ASSIGN(bundle::Spec spec, bundle::parse_spec(text, options.spec));
  inputs.mirrors = std::move(spec.mirrors);
  return inputs;
}

Result<std::vector<fs::path>> program_paths(const CreateOptions& options) {
  std::vector<fs::path> paths(options.programs.begin(), options.programs.end());
  if (!paths.empty() || options.without_program) return paths;
  TRY_ASSIGN(fs::path found, find_program());
  paths.push_back(std::move(found));
  return paths;
}

Status run_create(const CreateOptions& options, const CommandEnvironment& environment) {
  TRY_ASSIGN(const LockAndMirrors read, read_inputs(options));
  std::vector<PrivateKey> signers;
  for (const std::string& path : options.keys) {
    TRY_ASSIGN(PrivateKey key, PrivateKey::from_file(path));
    signers.push_back(std::move(key));
  }
  std::optional<openpgp::SecretKey> repository_key;
  if (!options.repository_key.empty()) {
    TRY_ASSIGN(openpgp::SecretKey key, openpgp::SecretKey::from_file(options.repository_key));
    repository_key.emplace(std::move(key));
  }
  TRY_ASSIGN(auto programs, program_paths(options));
  const CreateInputs inputs{read.lock, signers, repository_key ? &*repository_key : nullptr,
                            std::move(programs)};
  TRY_ASSIGN(const bundle::Plan plan, plan_from_lock(inputs));
  environment.log.info("{} {}: {} in all, {} to fetch in {} blobs", plan.contents.name, plan.contents.version,
                       format_bytes(plan.contents.size), format_bytes(plan.wanted_bytes), plan.wanted.size());
  if (options.dry_run) return {};
  TRY_ASSIGN(const Interrupts interrupts, Interrupts::watch());
  TRY_ASSIGN(const auto fetcher,
             make_fetcher(options.upstream, read.mirrors, interrupts.token(), environment.log));
  const auto progress = make_progress("fetched", environment.progress);
  TRY(create_bundle(inputs, plan, options.output, *fetcher, options.upstream.jobs, *progress,
                    environment.log));
  environment.log.info("{}: {}, root {}", options.output, format_bytes(plan.contents.size),
                       digest_of(plan.contents_text).str());
  return {};
}

}  // namespace

void add_create(CLI::App& app, Action& action) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* command = app.add_subcommand("create", "Fetch everything in a lock into one signed bundle");
  command->add_option("-f,--file", options->spec, "bundle.yaml; its lock lies beside it");
  command->add_option("-l,--lock", options->lock, "Lock file, when it lies elsewhere");
  command->add_option("-o,--output", options->output, "Bundle to write")->required();
  command
      ->add_option("-k,--key", options->keys,
                   "Private key to sign with (mode 0600); repeat for several signers")
      ->required();
  command->add_option("--repository-key", options->repository_key,
                      "OpenPGP secret key that signs the package repositories");
  command->add_option("--program", options->programs,
                      "Static sealift to carry along; repeat for several machines");
  command->add_flag("--without-program", options->without_program, "Carry no program");
  command->add_flag("--dry-run", options->dry_run, "Say what would be fetched and how large the bundle is");
  add_upstream_options(*command, options->upstream);
  command->footer(
      "A run that was interrupted continues when the same command is given again.\n\n"
      "Example:\n  sealift create -f bundle.yaml -o k8s-ha.tar -k keys/sealift.key --repository-key "
      "keys/repository.key");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_create(*options, environment); };
  });
}

}  // namespace sealift::builder
