#include "lib/bundle/verify.hpp"

#include <thread>

#include <CLI/CLI.hpp>

#include "lib/base/json.hpp"
#include "sealift/commands/commands.hpp"

namespace sealift {

namespace {

struct VerifyOptions {
  std::string bundle;
  std::vector<std::string> keys;
  unsigned threshold = 1;
  bool quick = false;
  bool json = false;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
};

Status run_verify(const VerifyOptions& options, const CommandEnvironment& environment) {
  bundle::TrustPolicy policy{{}, options.threshold};
  for (const std::string& path : options.keys) {
    TRY_ASSIGN(PublicKey key, PublicKey::from_file(path));
    policy.keys.push_back(std::move(key));
  }
  TRY_ASSIGN(const auto verified, bundle::open_verified(options.bundle, policy));
  if (!options.quick) {
    const auto progress = make_progress("verified", environment.progress);
    TRY(bundle::verify_all(*verified, *progress, options.threads, nullptr));
  }
  const bundle::Contents& contents = verified->contents();
  if (options.json) {
    json::Array signers;
    for (const std::string& id : verified->signers()) signers.emplace_back(id);
    fmt::print("{}", json::serialize_pretty(json::Object{{"schema", "sealift.verify/v1"},
                                                         {"bundle", options.bundle},
                                                         {"name", contents.name},
                                                         {"version", contents.version},
                                                         {"root", verified->file().root_digest().str()},
                                                         {"checked", options.quick ? "head" : "everything"},
                                                         {"signers", std::move(signers)}}));
    return {};
  }
  fmt::print("{}: {} {} is intact ({}), signed by\n", options.bundle, contents.name, contents.version,
             options.quick ? "signatures and head only" : fmt::format("all {} blobs", contents.blobs.size()));
  for (const std::string& id : verified->signers()) fmt::print("  {}\n", id);
  return {};
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "Check signatures and every byte of a bundle");
  command->add_option("bundle", options->bundle, "Bundle file")->required();
  command->add_option("-k,--key", options->keys, "Public key (PEM) to trust; repeat for several");
  command->add_option("--threshold", options->threshold, "How many of the keys must have signed")
      ->check(CLI::Range(1U, 25U))
      ->capture_default_str();
  command->add_flag("--quick", options->quick, "Signatures and table of contents only");
  command->add_option("-j,--jobs", options->threads, "Threads (default: one per core)")
      ->check(CLI::Range(1U, 256U));
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->footer("Example:\n  sealift verify k8s-ha.tar --key sealift.pub");
  command->callback([options, &action] {
    action = [options](const CommandEnvironment& environment) { return run_verify(*options, environment); };
  });
}

}  // namespace sealift
