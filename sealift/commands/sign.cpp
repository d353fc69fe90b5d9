#include "lib/bundle/sign.hpp"

#include <CLI/CLI.hpp>

#include "sealift/commands/commands.hpp"

namespace sealift {

namespace {

struct SignOptions {
  std::string bundle;
  std::string key;
};

Status run_sign(const SignOptions& options, const CommandEnvironment& environment) {
  TRY_ASSIGN(const PrivateKey key, PrivateKey::from_file(options.key));
  TRY_ASSIGN(const auto file, bundle::BundleFile::open(options.bundle));
  TRY_ASSIGN(const bundle::SlotState slot, bundle::sign_in_place(*file, std::span(&key, 1)));
  environment.log.info("{}: signed by {}, {} signature(s) in all", options.bundle, key.public_key().id(),
                       slot.signatures);
  return {};
}

}  // namespace

void add_sign(CLI::App& app, Action& action) {
  auto options = std::make_shared<SignOptions>();
  CLI::App* command = app.add_subcommand("sign", "Add or replace a signature in a bundle, in place");
  command->add_option("bundle", options->bundle, "Bundle file")->required();
  command->add_option("-k,--key", options->key, "Private key (PEM, mode 0600)")->required();
  command->footer(
      "Signs the table of contents as it is: verify a bundle you did not make before you sign it.\n"
      "A mirror that serves the bundle goes on by itself.\n\n"
      "Example:\n  sealift sign k8s-ha.tar --key second-signer/sealift.key");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_sign(*options, environment); };
  });
}

}  // namespace sealift
