/// The test program is its own agent: `test_agent agent …` serves like `sealift agent …` does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "installer/host/session.hpp"
#include "installer/host/ssh.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

inline const Owner kOwner{"prod", "id-1"};

/// Everything steps told, by step.
struct Told {
  std::map<std::string, StepEvent> finished;
  std::string output;

  StepEventHandler handler() {
    return [this](const StepEvent& event) {
      if (event.kind == StepEvent::Kind::finished) finished[event.step_id] = event;
      if (event.kind == StepEvent::Kind::output) output += event.text + "\n";
    };
  }
  StepResult result(const std::string& step) { return finished[step].result; }
};

inline std::unique_ptr<Session> local_session(const std::string& root) {
  const auto program = find_agent_program({});
  if (!program) return nullptr;
  auto session = make_local_transport(*program, root)->connect({"localhost", "localhost"});
  return session ? std::move(*session) : nullptr;
}

}  // namespace sealift::installer
