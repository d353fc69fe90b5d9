#include "installer/host/agent_session.hpp"
#include "installer/host/ssh.hpp"

namespace sealift::installer {

namespace {

class LocalTransport final : public Transport {
 public:
  LocalTransport(fs::path program, std::string root) : program_(std::move(program)), root_(std::move(root)) {}

  Result<std::unique_ptr<Session>> connect(const HostAddress& host) override {
    std::vector<std::string> arguments = {program_.string(), "agent"};
    if (!root_.empty()) arguments.insert(arguments.end(), {"--root", root_});
    TRY_ASSIGN(auto channel, start_channel(arguments, {}));
    return open_session(std::move(channel), host.name, "");
  }

 private:
  fs::path program_;
  std::string root_;
};

}  // namespace

std::unique_ptr<Transport> make_local_transport(const AgentProgram& program, const std::string& root) {
  return std::make_unique<LocalTransport>(program.path, root);
}

}  // namespace sealift::installer
