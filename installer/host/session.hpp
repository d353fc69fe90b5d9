/// A conversation with the agent on one host, whatever carries it (ssh.hpp, local.hpp, a fake in tests).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "installer/host/facts.hpp"
#include "installer/host/step.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

enum class StepMode {
  check,  ///< only look: what would change? (plan)
  apply,
  undo,  ///< in reverse order, from the journal
};

enum class StepResult { unchanged, changed, would_change, failed, skipped };
std::string_view to_string(StepResult result);

/// What the agent tells while it works. Texts hold no secrets.
struct StepEvent {
  enum class Kind { started, progress, output, finished };
  Kind kind = Kind::started;
  std::string step_id{};
  std::string
      text{};  ///< started: description; output: one line; finished: what changed, or the error's message
  std::uint64_t done = 0;  ///< progress: bytes
  std::uint64_t total = 0;
  StepResult result = StepResult::unchanged;   ///< finished
  ErrorCode error_code = ErrorCode::internal;  ///< finished with failed
  std::string output{};                        ///< finished: value of Capture and ReadFile; may be secret
  bool has_output = false;
  std::uint64_t elapsed_ms = 0;  ///< finished
};

/// Called from the session's reader thread.
using StepEventHandler = std::function<void(const StepEvent&)>;

struct Owner {
  std::string cluster_name{};
  std::string cluster_id{};
};

/// One agent on one host. Thread-safe: several run() calls may be under way at once (lanes).
class Session {
 public:
  virtual ~Session() = default;

  /// Keeps other installers from this host until the session ends. Waits for one that is at work there
  /// (events of kind output say so), at most ten minutes; then ErrorCode::conflict.
  virtual Status hold(const StepEventHandler& handler) = 0;

  virtual Result<Facts> facts(const FactsRequest& request) = 0;

  /// Runs the steps in order and stops at the first that fails; that failure is the error. In StepMode::apply
  /// the host is claimed for `owner` first; a host of another cluster is refused with ErrorCode::conflict.
  virtual Status run(const Owner& owner, const std::vector<Step>& steps, StepMode mode,
                     const StepEventHandler& handler) = 0;

  /// All running run() and hold() calls end, after their current step, with ErrorCode::interrupted.
  virtual void cancel() = 0;
};

/// How to reach one host.
struct HostAddress {
  std::string name{};     ///< of the inventory
  std::string address{};  ///< for ssh: numeric, or a Host of the user's ssh_config
};

/// Opens sessions. Thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<std::unique_ptr<Session>> connect(const HostAddress& host) = 0;
};

}  // namespace sealift::installer
