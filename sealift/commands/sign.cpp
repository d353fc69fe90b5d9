#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "lib/bundle/reader.hpp"
#include "lib/bundle/signatures.hpp"
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
  TRY_ASSIGN(auto lines, within(bundle::parse_signatures(file->signatures_text()), options.bundle));
  TRY(bundle::add_signature(lines, key, file->contents_text()));
  TRY_ASSIGN(const std::string slot, bundle::write_signatures(lines));
  // The slot is one aligned page: it changes as a whole or not at all.
  TRY_ASSIGN(const FileDescriptor writable, open_file(options.bundle, O_WRONLY));
  TRY(within(write_exactly_at(writable, file->signatures_offset(), as_bytes(slot)), options.bundle));
  if (::fsync(writable.get()) != 0) return fail_errno(errno, options.bundle);
  environment.log.info("{}: signed by {}, {} signature(s) in all", options.bundle, key.public_key().id(),
                       lines.size());
  return {};
}

}  // namespace

void add_sign(CLI::App& app, Action& action) {
  auto options = std::make_shared<SignOptions>();
  CLI::App* command = app.add_subcommand("sign", "Add or replace a signature in a bundle, in place");
  command->add_option("bundle", options->bundle, "Bundle file")->required();
  command->add_option("-k,--key", options->key, "Private key (PEM, mode 0600)")->required();
  command->footer(
      "Signs the table of contents as it is: verify a bundle you did not make before you sign it.\n\n"
      "Example:\n  sealift sign k8s-ha.tar --key second-signer/sealift.key");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_sign(*options, environment); };
  });
}

}  // namespace sealift
