#include "builder/commands/upstream_options.hpp"

#include <CLI/CLI.hpp>

namespace sealift::builder {

namespace {
constexpr std::uint64_t kMaxYamlBytes = 1ULL << 20;
}

void add_upstream_options(CLI::App& command, UpstreamOptions& options) {
  command.add_option("--mirrors", options.mirror_files,
                     "YAML file with `mirrors:` rules, beside those of bundle.yaml; repeatable");
  command.add_option("--authfile", options.authfile,
                     "Registry logins (docker config.json or podman auth.json)");
  command.add_option("--upstream-ca,--ca-file", options.ca_file,
                     "PEM file of authorities to trust beside the system's");
  command.add_option("--retries", options.retries, "Attempts after the first")
      ->check(CLI::Range(0U, 100U))
      ->capture_default_str();
  command.add_option("-j,--jobs", options.jobs, "Streams at the same time")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
}

Result<std::unique_ptr<Fetcher>> make_fetcher(const UpstreamOptions& options,
                                              std::vector<bundle::MirrorRule> mirrors, std::stop_token stop,
                                              Log& log) {
  for (const std::string& path : options.mirror_files) {
    TRY_ASSIGN(const std::string text, read_file(path, kMaxYamlBytes));
    TRY_ASSIGN(auto rules, bundle::parse_mirrors(text, path));
    std::move(rules.begin(), rules.end(), std::back_inserter(mirrors));
  }
  FetcherOptions fetcher;
  fetcher.mirrors = std::move(mirrors);
  if (!options.authfile.empty()) fetcher.authfile = options.authfile;
  fetcher.stop = std::move(stop);
  fetcher.ca_file = options.ca_file;
  fetcher.retry.retries = options.retries;
  return Fetcher::create(std::move(fetcher), log);
}

}  // namespace sealift::builder
