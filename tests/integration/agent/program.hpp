/// The test program is its own agent: `test_agent agent …` serves like `sealift agent …` does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "installer/host/http.hpp"
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

/// A TCP port of 127.0.0.1 that nobody has. Below the ports that outgoing connections are given, where one of
/// theirs could take it before the server that it is for.
inline std::uint16_t free_port() {
  for (int i = 0; i < 1000; ++i) {
    const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto port = static_cast<std::uint16_t>(20000 + (::getpid() + i) % 12000);
    address.sin_port = htons(port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return port;
  }
  return 0;
}

/// Waits up to 30 s until somebody listens there.
inline bool answers(std::uint16_t port) {
  for (int i = 0; i < 300; ++i) {
    if (try_connect("127.0.0.1", port, std::chrono::milliseconds(200))) return true;
    ::usleep(100000);
  }
  return false;
}

inline std::unique_ptr<Session> local_session(const std::string& root) {
  const auto program = find_agent_program({});
  if (!program) return nullptr;
  auto session = make_local_transport(*program, root)->connect({"localhost", "localhost"});
  return session ? std::move(*session) : nullptr;
}

}  // namespace sealift::installer
