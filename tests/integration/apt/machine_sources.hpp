/// What this machine's own apt uses: the only upstream these tests ask.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/packages/package_set.hpp"

namespace sealift::test {

/// The Debian repositories in /etc/apt that are signed by Debian's own archive keys; empty when there are
/// none.
std::vector<bundle::RepositorySpec> machine_repositories();

/// Downloads with the system's curl; 404 is not_found.
Result<std::string> download_with_curl(const std::string& url, std::uint64_t limit_bytes);

/// One-line entries for apt's sources.list that name these repositories.
std::string sources_list(const std::vector<bundle::RepositorySpec>& repositories);

/// Empty when the first repository answers; else why these tests cannot run.
std::string why_unreachable(const std::vector<bundle::RepositorySpec>& repositories);

}  // namespace sealift::test
