/// Options that `lock` and `create` share: how upstreams are reached.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "builder/fetch/fetcher.hpp"
#include "lib/base/log.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/spec.hpp"

namespace CLI {
class App;
}

namespace sealift::builder {

struct UpstreamOptions {
  std::vector<std::string> mirror_files;
  std::string authfile;
  std::string ca_file;
  unsigned retries = 5;
  unsigned jobs = 4;
};

void add_upstream_options(CLI::App& command, UpstreamOptions& options);

/// Rules of bundle.yaml first, those of --mirrors after them.
Result<std::unique_ptr<Fetcher>> make_fetcher(const UpstreamOptions& options,
                                              std::vector<bundle::MirrorRule> mirrors, std::stop_token stop,
                                              Log& log);

}  // namespace sealift::builder
