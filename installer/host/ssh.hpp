/// Agents on other machines, over the system's OpenSSH client: the user's ssh_config, agent, ProxyJump and
/// known_hosts hold, host keys are always checked. One connection a host (ControlMaster in a private
/// directory); the agent is uploaded once per digest.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "installer/host/session.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

struct SshOptions {
  std::string user{};      ///< empty: as ssh_config says
  std::uint16_t port = 0;  ///< 0: as ssh_config says
  std::string identity_file{};
  std::string known_hosts_file{};
  std::string config_file{};  ///< ssh -F
  unsigned connect_timeout_s = 10;
  std::string remote_directory = "/var/lib/sealift/agent";  ///< where the agent is put; 0700, root
  std::string remote_root{};                                ///< `sealift agent --root` (tests)
};

/// The program that is uploaded and started as agent on the hosts.
struct AgentProgram {
  fs::path path{};        ///< a static sealift; /proc/self/exe when this is one
  std::string machine{};  ///< of the ELF header: "x86_64"
};

/// Reads the ELF header of the running program (or of `path` when given).
Result<AgentProgram> find_agent_program(const fs::path& path);

Result<std::unique_ptr<Transport>> make_ssh_transport(const SshOptions& options, const AgentProgram& program);

/// The agent as a child of this process, for the host that Sealift runs on. `root` as in `sealift agent
/// --root` (tests), or empty.
std::unique_ptr<Transport> make_local_transport(const AgentProgram& program, const std::string& root);

}  // namespace sealift::installer
