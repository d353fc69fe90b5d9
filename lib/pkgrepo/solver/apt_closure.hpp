/// The closure of a request for Debian packages: everything it needs beyond what a machine has.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/pkgrepo/apt/packages.hpp"

namespace sealift::pkgrepo::solver {

enum class Recommends { ignore, install };

/// What is known about the packages in ClosureRequest::installed.
enum class InstalledVersions {
  exact,    ///< they are the versions on the machine (a status file)
  at_most,  ///< the machine may have older ones of the same release (a named baseline): what must not be
            ///< older is carried along
};

struct ClosureRequest {
  std::string architecture;                     ///< of the machine: "amd64"
  std::vector<const apt::Package*> candidates;  ///< one a name (apt::select_candidates)
  std::vector<const apt::Package*> installed;   ///< what the machine has; empty: nothing
  InstalledVersions installed_versions = InstalledVersions::exact;
  std::vector<std::string> install;  ///< names; a virtual one only when a single package provides it
  Recommends recommends = Recommends::ignore;
};

struct Closure {
  std::vector<const apt::Package*>
      packages;                      ///< to be installed or upgraded, and what was asked for; sorted by name
  std::vector<std::string> removed;  ///< installed packages in conflict with the request, by name
};

/// Solved by libsolv the way apt would choose: real packages before providers, the first of alternatives, no
/// needless upgrades; an Essential or required package is never removed.
///
/// Errors: invalid_argument (a name that no repository has, with the nearest ones), conflict (unsatisfiable;
/// quotes the solver's reasons), integrity (a relation field that cannot be read).
Result<Closure> solve_closure(const ClosureRequest& request);

}  // namespace sealift::pkgrepo::solver
