/// What a dry run found, for people and for programs.
#pragma once

#include <string>

#include "installer/apply/runner.hpp"
#include "installer/plan/open_site.hpp"
#include "lib/base/command.hpp"

namespace sealift::installer {

/// One line a change, in the order of `phases` and by host; ends with the counts.
std::string plan_text(const RunSummary& summary, const std::vector<std::string>& phases);
/// {"version":1,"changes":[{phase,host,step,text}],"unchanged":n,"known_later":[...]}
std::string plan_json(const RunSummary& summary, const std::vector<std::string>& phases);

/// The whole of `sealift plan` and `sealift install --dry-run`.
Status show_plan(const SiteFiles& files, bool json, const CommandEnvironment& environment);

}  // namespace sealift::installer
