/// How a running plan is shown: a line a host on a terminal, plain lines elsewhere, JSON lines for programs,
/// and a log file per host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "installer/apply/runner.hpp"

namespace sealift::installer {

enum class ReportStyle { automatic, plain, json, none };

struct ReportOptions {
  ReportStyle style =
      ReportStyle::automatic;  ///< automatic: live when standard error is a terminal, else plain
  fs::path log_directory{};    ///< <host>.log each, 0600, appended; empty: no log files
};

/// Shows on standard error; JSON events (one object a line, "version": 1) go to standard output.
Result<std::unique_ptr<RunObserver>> make_report(const Plan& plan, const ReportOptions& options);

}  // namespace sealift::installer
