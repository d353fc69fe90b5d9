#include <CLI/CLI.hpp>

#include "builder/commands/commands.hpp"
#include "lib/base/files.hpp"
#include "lib/crypto/ed25519.hpp"
#include "lib/crypto/openpgp.hpp"

namespace sealift::builder {

namespace {

struct KeygenOptions {
  std::string output;
  std::string user_id = "Sealift repository";
  std::string repository_algorithm = "ed25519";
  bool without_repository_key = false;
};

Status run_keygen(const KeygenOptions& options, const CommandEnvironment& environment) {
  const fs::path folder(options.output);
  TRY(create_directories(folder, 0700));
  for (const char* name : {"sealift.key", "sealift.pub", "repository.key", "repository.asc"}) {
    std::error_code ignored;
    if (fs::exists(folder / name, ignored)) {
      return fail(ErrorCode::conflict, "{} exists already; keys are never overwritten, choose another folder",
                  (folder / name).string());
    }
  }
  TRY_ASSIGN(const PrivateKey key, PrivateKey::generate());
  TRY(write_file_atomically(folder / "sealift.key", key.pem(), 0600));
  TRY(write_file_atomically(folder / "sealift.pub", key.public_key().pem(), 0644));
  environment.log.info("bundle key      {}  (carry {} to the isolated side by another way than the bundle)",
                       key.public_key().id(), (folder / "sealift.pub").string());
  if (options.without_repository_key) return {};
  const bool rsa = options.repository_algorithm == "rsa4096";
  TRY_ASSIGN(const auto repository, openpgp::SecretKey::generate(
                                        rsa ? openpgp::KeyAlgorithm::rsa4096 : openpgp::KeyAlgorithm::ed25519,
                                        options.user_id, now()));
  TRY(repository.write_file(folder / "repository.key"));
  TRY(write_file_atomically(folder / "repository.asc", repository.armoured_public_key(), 0644));
  environment.log.info("repository key  {}", repository.fingerprint());
  return {};
}

}  // namespace

void add_keygen(CLI::App& app, Action& action) {
  auto options = std::make_shared<KeygenOptions>();
  CLI::App* command = app.add_subcommand(
      "keygen", "Make the key that signs bundles and the key that signs package repositories");
  command
      ->add_option("-o,--output", options->output,
                   "Folder for sealift.key, sealift.pub, repository.key, repository.asc")
      ->required();
  command->add_option("--user-id", options->user_id, "Name in the repository key")->capture_default_str();
  command->add_option("--repository-algorithm", options->repository_algorithm, "ed25519, or rsa4096 for EL 7")
      ->check(CLI::IsMember({"ed25519", "rsa4096"}))
      ->capture_default_str();
  command->add_flag("--without-repository-key", options->without_repository_key,
                    "For a second signer, who only signs bundles");
  command->footer(
      "Private keys are written with mode 0600 and are not encrypted: keep the folder where only you can "
      "read it.\n\n"
      "Example:\n  sealift keygen -o keys");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_keygen(*options, environment); };
  });
}

}  // namespace sealift::builder
