/// The agent: `sealift agent` on a host, fed by the deploy host over standard input and output.
#pragma once

#include <chrono>
#include <string>

#include "lib/base/result.hpp"

namespace sealift::installer {

struct AgentOptions {
  std::string
      root;  ///< put before the paths of file steps and of the journal; tests only, empty on real hosts
  int input = 0;
  int output = 1;
  std::chrono::milliseconds patience =
      std::chrono::seconds(90);  ///< without a line: then the deploy host is taken for dead
};

/// Serves requests until `input` closes. Then waits and downloads end at once, while a program or a package
/// installation that is under way is allowed to finish: half of one is worse than a late one. Changing runs
/// hold a lock on the host (flock on /run/sealift/agent.lock).
Status serve_agent(const AgentOptions& options);

}  // namespace sealift::installer
