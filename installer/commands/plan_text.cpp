#include "installer/commands/plan_text.hpp"

#include <algorithm>
#include <utility>

namespace sealift::installer {

namespace {

/// Hosts answer as they come; people read phase by phase and host by host.
std::vector<StepChange> in_order(const RunSummary& summary, const std::vector<std::string>& phases) {
  const auto rank = [&](const std::string& phase) {
    return std::find(phases.begin(), phases.end(), phase) - phases.begin();
  };
  std::vector<StepChange> changes = summary.changes;
  std::stable_sort(changes.begin(), changes.end(), [&](const StepChange& a, const StepChange& b) {
    return std::pair(rank(a.phase), a.host) < std::pair(rank(b.phase), b.host);
  });
  return changes;
}

}  // namespace

std::string plan_text(const RunSummary& summary, const std::vector<std::string>& phases) {
  std::string text;
  std::string phase;
  for (const StepChange& change : in_order(summary, phases)) {
    if (change.phase != phase) text += fmt::format("{}\n", change.phase);
    phase = change.phase;
    text += fmt::format("  {:<16} {}\n", change.host, change.text);
  }
  if (!summary.unknown_tasks.empty()) text += "known only during the installation\n";
  for (const std::string& task : summary.unknown_tasks) text += fmt::format("  {}\n", task);
  return text + fmt::format("{} steps would change something, {} are as they should be\n",
                            summary.changes.size(), summary.unchanged_steps);
}

std::string plan_json(const RunSummary& summary, const std::vector<std::string>& phases) {
  json::Array changes;
  for (const StepChange& change : in_order(summary, phases))
    changes.push_back(json::Object{
        {"phase", change.phase}, {"host", change.host}, {"step", change.step_id}, {"text", change.text}});
  json::Array later;
  for (const std::string& task : summary.unknown_tasks) later.emplace_back(task);
  json::Array names;
  for (const std::string& phase : phases) names.emplace_back(phase);
  return json::serialize_pretty(json::Object{{"version", 1},
                                             {"phases", std::move(names)},
                                             {"changes", std::move(changes)},
                                             {"unchanged", summary.unchanged_steps},
                                             {"known_later", std::move(later)}});
}

}  // namespace sealift::installer
