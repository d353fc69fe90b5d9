#include "installer/apply/plan.hpp"

#include <algorithm>
#include <set>

#include "installer/apply/order.hpp"

namespace sealift::installer {

namespace {

const std::vector<std::string>* triggers_of(const Action& action) {
  if (const auto* unit = std::get_if<SystemdUnit>(&action)) return &unit->restart_on;
  if (const auto* run = std::get_if<Run>(&action)) return &run->restart_on;
  return nullptr;
}

Status check_steps(const Plan& plan) {
  std::map<std::string, std::string> host_of;
  for (const Task& task : plan.tasks) {
    for (const Step& step : task.steps) {
      if (!host_of.emplace(step.id, task.host).second) {
        return fail(ErrorCode::internal, "the plan has the step {} twice", step.id);
      }
      const std::vector<std::string>* triggers = triggers_of(step.action);
      if (triggers == nullptr) continue;
      for (const std::string& trigger : *triggers) {
        // A step made by make_steps is not known here; only what is known can be wrong.
        const auto found = host_of.find(trigger);
        if (found != host_of.end() && found->second != task.host) {
          return fail(ErrorCode::internal, "the step {} waits for {}, which is on another host", step.id,
                      trigger);
        }
      }
    }
  }
  return {};
}

}  // namespace

Result<std::string> Outputs::get(const std::string& step_id) const {
  const auto found = values_.find(step_id);
  if (found == values_.end())
    return fail(ErrorCode::precondition, "the step {} has not told anything yet", step_id);
  return found->second;
}

Result<std::vector<std::vector<std::size_t>>> task_dependencies(const Plan& plan) {
  std::map<std::string, std::size_t> by_id;
  std::map<std::string, std::vector<std::size_t>> by_phase;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    if (!by_id.emplace(plan.tasks[i].id, i).second) {
      return fail(ErrorCode::internal, "the plan has the task {} twice", plan.tasks[i].id);
    }
    by_phase[plan.tasks[i].phase].push_back(i);
  }
  std::map<std::pair<std::string, std::string>, std::size_t> last_in_lane;
  std::vector<std::vector<std::size_t>> result(plan.tasks.size());
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const Task& task = plan.tasks[i];
    std::set<std::size_t> before;
    for (const std::string& name : task.after) {
      if (name.starts_with("phase:")) {
        // A phase without tasks (no workers, say) is done.
        if (const auto phase = by_phase.find(name.substr(6)); phase != by_phase.end()) {
          before.insert(phase->second.begin(), phase->second.end());
        }
      } else if (const auto found = by_id.find(name); found != by_id.end()) {
        before.insert(found->second);
      } else {
        return fail(ErrorCode::internal, "the task {} waits for {}, which the plan does not have", task.id,
                    name);
      }
    }
    const std::pair lane{task.host, task.lane};
    if (const auto last = last_in_lane.find(lane); last != last_in_lane.end()) before.insert(last->second);
    last_in_lane[lane] = i;
    result[i].assign(before.begin(), before.end());
  }
  return result;
}

Status check_plan(const Plan& plan, const std::vector<std::string>& hosts) {
  for (const Task& task : plan.tasks) {
    if (std::find(hosts.begin(), hosts.end(), task.host) == hosts.end()) {
      return fail(ErrorCode::internal, "the task {} is for the unknown host {}", task.id, task.host);
    }
    const bool known = std::any_of(plan.phases.begin(), plan.phases.end(),
                                   [&](const Phase& phase) { return phase.name == task.phase; });
    if (!known)
      return fail(ErrorCode::internal, "the task {} is of the unknown phase {}", task.id, task.phase);
  }
  TRY_ASSIGN(const auto dependencies, task_dependencies(plan));
  // Kahn's algorithm: what cannot be ordered waits for itself.
  std::vector<bool> placed(plan.tasks.size(), false);
  for (std::size_t count = 0; count < plan.tasks.size();) {
    const std::size_t before = count;
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
      const auto ready = [&](std::size_t other) { return static_cast<bool>(placed[other]); };
      if (placed[i] || !std::all_of(dependencies[i].begin(), dependencies[i].end(), ready)) continue;
      placed[i] = true;
      ++count;
    }
    if (count == before) {
      const auto stuck =
          static_cast<std::size_t>(std::find(placed.begin(), placed.end(), false) - placed.begin());
      return fail(ErrorCode::internal, "the task {} waits for itself", plan.tasks[stuck].id);
    }
  }
  return check_steps(plan);
}

}  // namespace sealift::installer
