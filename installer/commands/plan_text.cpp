#include "installer/commands/plan_text.hpp"

namespace sealift::installer {

std::string plan_text(const RunSummary& summary) {
  std::string text;
  std::string phase;
  for (const StepChange& change : summary.changes) {
    if (change.phase != phase) text += fmt::format("{}\n", change.phase);
    phase = change.phase;
    text += fmt::format("  {:<16} {}\n", change.host, change.text);
  }
  if (!summary.unknown_tasks.empty()) text += "known only during the installation\n";
  for (const std::string& task : summary.unknown_tasks) text += fmt::format("  {}\n", task);
  return text + fmt::format("{} steps would change something, {} are as they should be\n",
                            summary.changes.size(), summary.unchanged_steps);
}

std::string plan_json(const RunSummary& summary) {
  json::Array changes;
  for (const StepChange& change : summary.changes)
    changes.push_back(json::Object{
        {"phase", change.phase}, {"host", change.host}, {"step", change.step_id}, {"text", change.text}});
  json::Array later;
  for (const std::string& task : summary.unknown_tasks) later.emplace_back(task);
  return json::serialize_pretty(json::Object{{"version", 1},
                                             {"changes", std::move(changes)},
                                             {"unchanged", summary.unchanged_steps},
                                             {"known_later", std::move(later)}});
}

}  // namespace sealift::installer
