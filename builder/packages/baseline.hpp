/// What the target machines already have, as the specification declares it.
#pragma once

#include <string>
#include <vector>

#include "builder/packages/package_set.hpp"
#include "lib/pkgrepo/apt/candidates.hpp"
#include "lib/pkgrepo/apt/packages.hpp"
#include "lib/pkgrepo/solver/apt_closure.hpp"

namespace sealift::builder {

enum class BaselineKind {
  none,    ///< an empty machine
  status,  ///< a dpkg status file carried out from one
  named,   ///< a list of names; their closure at the locked repositories is what the machine has
};

struct Baseline {
  BaselineKind kind = BaselineKind::none;
  std::string what;                ///< for messages: the path that was read, or "none"
  std::vector<std::string> names;  ///< kind named
  pkgrepo::apt::PackageIndex status;
};

/// "none"; a path (with a '/', or a file beside bundle.yaml); or <name>.list in one of the baseline
/// directories.
Result<Baseline> read_baseline(const std::string& name, const PackageSetContext& context);

/// One package name a line; '#' begins a comment. At most 100000 names.
Result<std::vector<std::string>> parse_baseline_list(std::string_view text, const std::string& what);

/// The packages such a machine of that architecture has, among `candidates` (a named baseline) or in the
/// status file. Points into `baseline` or into what `candidates` points to.
Result<std::vector<const pkgrepo::apt::Package*>> installed_packages(
    const Baseline& baseline, const std::string& architecture,
    const std::vector<const pkgrepo::apt::Package*>& candidates, Log& log);

}  // namespace sealift::builder
