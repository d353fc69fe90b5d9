/// The options that preflight, plan, install and status share.
#pragma once

#include <vector>

#include "installer/plan/open_site.hpp"
#include "installer/preflight/preflight.hpp"
#include "lib/base/log.hpp"

namespace CLI {
class App;
}

namespace sealift::installer {

void add_site_options(CLI::App& command, SiteFiles& files);

/// Findings on standard error, one a line; fails with ErrorCode::precondition (or conflict, when a host
/// belongs to another cluster) when one of them is an error.
Status report_findings(const std::vector<Finding>& findings, Log& log);

/// Nothing but the verdict, as report_findings.
Status verdict(const std::vector<Finding>& findings);

}  // namespace sealift::installer
