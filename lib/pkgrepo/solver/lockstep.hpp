/// A named baseline says which packages a machine has, not how old they are: what must keep step is carried
/// along.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "lib/pkgrepo/solver/package_table.hpp"

namespace sealift::pkgrepo::solver {

/// The oldest version that a machine of the same release may have in place of `version`, which stable updates
/// of Debian and Ubuntu mark: "3.7.9-2+deb12u4" -> "3.7.9-2", "2.39-0ubuntu8.4" -> "2.39-0ubuntu8". A new
/// upstream version brought by such an update ("3.0.17-1~deb12u2") says nothing about what it replaced: "".
std::string oldest_in_release(std::string_view version);

/// Adds to `rows` (candidates that will be installed) the candidates of baseline packages that must be at
/// least as new as the locked repositories have them: those a row needs in a version the oldest machine may
/// lack, those a row breaks below such a version, and those that depend on an exact version of a row.
std::set<std::size_t> with_lockstep(const PackageTable& table, std::set<std::size_t> rows);

}  // namespace sealift::pkgrepo::solver
