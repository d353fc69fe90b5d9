/// The plan of an installation: which steps run on which host and what waits for what. Made by
/// installer/phases, executed by runner.hpp.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "installer/host/step.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// What Capture and ReadFile steps gave so far: step id -> text.
class Outputs {
 public:
  /// ErrorCode::precondition when the step has not given anything yet; `make_steps` simply passes that on.
  Result<std::string> get(const std::string& step_id) const;
  bool has(const std::string& step_id) const { return values_.contains(step_id); }
  void set(std::string step_id, std::string value) { values_[std::move(step_id)] = std::move(value); }

 private:
  std::map<std::string, std::string> values_;
};

/// Steps that run one after another on one host, in one go.
///
/// When it starts: all earlier tasks (in the plan's order) of the same host and lane are done, and everything
/// in `after` is done. There is no other barrier: name "phase:<phase>" in `after` to wait for a whole phase
/// on all hosts.
struct Task {
  std::string id{};     ///< "<phase>/<host>" or "<phase>/<host>/<lane>": unique in the plan
  std::string phase{};  ///< name of one of Plan::phases
  std::string host{};   ///< name of a host of the inventory
  std::string lane{};   ///< "" is the main lane; a second lane ("images") of a host runs beside it
  std::vector<std::string> after{};  ///< task ids, or "phase:<phase>"
  std::vector<Step> steps{};
  /// For steps that need what earlier tasks found out; called when the task starts, its steps follow `steps`.
  /// When it fails with ErrorCode::precondition during a dry run, the task is shown as "known only during the
  /// installation".
  std::function<Result<std::vector<Step>>(const Outputs&)> make_steps{};
  std::string make_steps_title{};  ///< what a dry run says instead: "join as control plane"
};

struct Phase {
  std::string name{};   ///< "runtime"
  std::string title{};  ///< "container runtime"
};

struct Plan {
  std::string cluster_name{};
  std::string
      cluster_id;  ///< random, kept in the deploy host's state; the journal of every host remembers it
  std::vector<Phase> phases{};  ///< in the order in which they are shown
  std::vector<Task> tasks{};
};

/// Unique ids, known phases and hosts, no cycle in `after`, no step id twice, restart_on names steps of the
/// same host that come before.
Status check_plan(const Plan& plan, const std::vector<std::string>& hosts);

}  // namespace sealift::installer
