/// The real apt with directories of its own: nothing of this machine's package state is read or changed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/process.hpp"

namespace sealift::test {

class AptClient {
 public:
  /// `status` is a dpkg status file's text; `sources` a sources.list's.
  static Result<AptClient> create(const std::string& status, const std::string& sources,
                                  const std::string& architecture);

  /// apt-get with these arguments, in `directory` (downloads land there); the exit code is for the caller to
  /// judge.
  CommandOutput get(std::vector<std::string> arguments) const;
  /// Another of apt's programs, named first; at most 512 MiB of output.
  CommandOutput tool(std::vector<std::string> arguments) const;

  /// Where `apt-get download` and keyrings may be put.
  fs::path directory() const { return directory_.path(); }

 private:
  explicit AptClient(TemporaryDirectory directory) : directory_(std::move(directory)) {}
  TemporaryDirectory directory_;
};

/// Names and versions of the "Inst" lines of apt-get -s: what would be installed or upgraded.
std::map<std::string, std::string> simulated_installs(const std::string& output);
/// Names of the "Remv" lines.
std::set<std::string> simulated_removals(const std::string& output);

}  // namespace sealift::test
