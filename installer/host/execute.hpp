/// Doing one step on this host: check, and when it is not already so, apply (or undo) with the journal around
/// it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "installer/host/journal.hpp"
#include "installer/host/session.hpp"
#include "installer/host/step.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// What a step may use while it works.
struct StepContext {
  const std::string& root;  ///< put before every path: empty on real hosts
  Journal& journal;
  const std::string& step_id;
  StepMode mode;
  const std::atomic<bool>& stop;  ///< the session ended or the run was cancelled: end waits and downloads
  const std::set<std::string>& would_change;  ///< check mode: steps of this run that would change something
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};
  std::function<void(std::string_view line)> output{};

  std::string at(const std::string& path) const { return root + path; }
  /// Did one of these steps change something after this step was last done?
  bool changed_since_done(const std::vector<std::string>& steps) const;
};

struct CheckOutcome {
  bool satisfied = false;
  std::string text{};                   ///< what is different from the wish, or that nothing is
  std::optional<std::string> output{};  ///< Capture and ReadFile
};

struct ApplyOutcome {
  std::string text{};     ///< what was changed
  json::Object detail{};  ///< for the journal: what a later check or undo needs; no secrets
  std::optional<std::string> output{};
};

struct StepOutcome {
  StepResult result = StepResult::unchanged;
  std::string text{};
  std::optional<std::string> output{};
};

/// Runs one step. `would_change` is extended in check mode.
Result<StepOutcome> execute_step(const Step& step, StepMode mode, const std::string& root, Journal& journal,
                                 const std::atomic<bool>& stop, std::set<std::string>& would_change,
                                 std::function<void(std::uint64_t, std::uint64_t)> progress,
                                 std::function<void(std::string_view)> output);

}  // namespace sealift::installer
