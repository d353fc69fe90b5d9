#include <CLI/CLI.hpp>

#include "lib/base/json.hpp"
#include "lib/base/progress.hpp"
#include "lib/bundle/reader.hpp"
#include "lib/bundle/signatures.hpp"
#include "sealift/commands/commands.hpp"

namespace sealift {

namespace {

struct InfoOptions {
  std::string bundle;
  bool json = false;
};

std::size_t package_count(const bundle::Contents& contents) {
  std::size_t count = 0;
  for (const auto& set : contents.package_sets) count += set.packages.size();
  return count;
}

json::Value to_json(const bundle::BundleFile& file, const std::vector<bundle::SignatureLine>& signatures) {
  const bundle::Contents& contents = file.contents();
  json::Array signers;
  for (const auto& line : signatures) signers.emplace_back(line.key_id);
  json::Array platforms;
  for (const std::string& platform : contents.platforms) platforms.emplace_back(platform);
  json::Array targets;
  for (const auto& set : contents.package_sets) targets.emplace_back(set.target);
  return json::Object{{"schema", "sealift.info/v1"},
                      {"name", contents.name},
                      {"version", contents.version},
                      {"time", format_rfc3339(contents.time)},
                      {"root", file.root_digest().str()},
                      {"size", contents.size},
                      {"platforms", std::move(platforms)},
                      {"kubernetes", contents.kubernetes_version},
                      {"images", contents.images.size()},
                      {"packages", package_count(contents)},
                      {"packageTargets", std::move(targets)},
                      {"files", contents.files.size()},
                      {"blobs", contents.blobs.size()},
                      {"signatures", std::move(signers)},
                      {"verified", false}};
}

Status run_info(const InfoOptions& options) {
  TRY_ASSIGN(const auto file, bundle::BundleFile::open(options.bundle));
  TRY_ASSIGN(const auto signatures,
             within(bundle::parse_signatures(file->signatures_text()), options.bundle));
  if (options.json) {
    fmt::print("{}", json::serialize_pretty(to_json(*file, signatures)));
    return {};
  }
  const bundle::Contents& contents = file->contents();
  fmt::print("bundle      {} {}\n", contents.name, contents.version);
  fmt::print("locked      {}\n", format_rfc3339(contents.time));
  fmt::print("root        {}\n", file->root_digest().str());
  fmt::print("size        {} ({} bytes)\n", format_bytes(contents.size), contents.size);
  fmt::print("platforms   {}\n", fmt::join(contents.platforms, ", "));
  if (!contents.kubernetes_version.empty()) fmt::print("kubernetes  {}\n", contents.kubernetes_version);
  fmt::print("images      {}\n", contents.images.size());
  for (const auto& set : contents.package_sets) {
    fmt::print("packages    {} for {} (beyond the baseline {})\n", set.packages.size(), set.target,
               set.baseline);
  }
  fmt::print("files       {}\n", contents.files.size());
  fmt::print("blobs       {}\n", contents.blobs.size());
  for (const auto& line : signatures) fmt::print("signed by   {}\n", line.key_id);
  fmt::print("\nNothing of this was verified; run: sealift verify {} --key PUBLIC_KEY\n", options.bundle);
  return {};
}

}  // namespace

void add_info(CLI::App& app, Action& action) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand("info", "Say what a bundle is, without verifying it");
  command->add_option("bundle", options->bundle, "Bundle file")->required();
  command->add_flag("--json", options->json, "Print as JSON");
  command->footer("Example:\n  sealift info k8s-ha.tar");
  command->callback(
      [options, &action] { action = [options](const CommandEnvironment&) { return run_info(*options); }; });
}

}  // namespace sealift
