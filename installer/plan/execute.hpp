/// Executes or shows the plan of a site: what `plan` and `install` have in common.
#pragma once

#include <string>

#include "installer/apply/report.hpp"
#include "installer/plan/open_site.hpp"
#include "lib/base/progress.hpp"

namespace sealift::installer {

struct ExecuteOptions {
  StepMode mode = StepMode::apply;  ///< check: only look
  ReportStyle style = ReportStyle::automatic;
  std::string log_directory;  ///< empty: no log files
  ProgressStyle progress = ProgressStyle::automatic;
  const std::atomic<bool>* cancel = nullptr;
};

struct Executed {
  RunSummary summary;
  Site site;
};

/// Every byte of every bundle is checked, unless this machine remembers having checked exactly this file.
Status verify_completely(const OpenedSite& opened, ProgressStyle progress, const std::atomic<bool>* cancel);

/// The CA of the site's mirror; made now with StepMode::apply, else "" when there is none yet.
Result<std::string> mirror_ca(const OpenedSite& opened, StepMode mode);

/// Makes the plan and runs it over the sessions.
Result<Executed> execute(const OpenedSite& opened, const Sessions& sessions,
                         const std::map<std::string, HostReport>& reports, const ExecuteOptions& options);

}  // namespace sealift::installer
