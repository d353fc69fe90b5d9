// The ssh transport against a real sshd on loopback, with keys and settings of its own.
#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "installer/apply/sessions.hpp"
#include "installer/host/channel.hpp"
#include "installer/host/http.hpp"
#include "lib/base/process.hpp"
#include "program.hpp"

namespace sealift::installer {
namespace {

class SshTest : public testing::Test {
 protected:
  SshTest()
      : directory_(std::move(*TemporaryDirectory::create("sealift-sshd"))),
        path_(directory_.path().string()) {}

  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "sshd needs root";
    if (!fs::exists("/usr/sbin/sshd")) GTEST_SKIP() << "needs openssh-server";
    port_ = free_port();
    make_key("host_key");
    make_key("other_key");
    make_key("user_key");
    fs::create_directories("/run/sshd");
    write("authorized_keys", get("user_key.pub"));
    write("known_hosts", fmt::format("[127.0.0.1]:{} {}", port_, get("host_key.pub")));
    write("sshd_config",
          fmt::format(
              "Port {0}\nListenAddress 127.0.0.1\nHostKey {1}/host_key\nPidFile {1}/sshd.pid\n"
              "AuthorizedKeysFile {1}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
              "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
              port_, path_));
    auto started = start_channel({"/usr/sbin/sshd", "-D", "-e", "-f", path_ + "/sshd_config"}, {});
    ASSERT_TRUE(started) << started.error().message();
    sshd_ = std::move(*started);
    ASSERT_TRUE(answers(port_)) << sshd_->diagnosis();
    options_.user = "root";
    options_.port = port_;
    options_.identity_file = path_ + "/user_key";
    options_.known_hosts_file = path_ + "/known_hosts";
    options_.config_file = "/dev/null";
    options_.remote_directory = path_ + "/remote";
    options_.remote_root = path_ + "/root";
    fs::create_directories(options_.remote_root);
  }
  void TearDown() override {
    if (const auto pid = read_file(path_ + "/sshd.pid", 64); pid) ::kill(std::stoi(*pid), SIGTERM);
    sshd_.reset();
  }
  void make_key(const std::string& name) {
    ASSERT_TRUE(run_checked(
        {.arguments = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path_ + "/" + name}}));
  }
  std::string get(const std::string& name) { return read_file(path_ + "/" + name, 1 << 20).value_or(""); }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(path_ + "/" + name, text, 0600));
  }
  Result<std::unique_ptr<Session>> connect() {
    TRY_ASSIGN(const AgentProgram program, find_agent_program({}));
    TRY_ASSIGN(transport_, make_ssh_transport(options_, program));
    return transport_->connect({"cp1", "127.0.0.1"});
  }

  TemporaryDirectory directory_;
  std::string path_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Channel> sshd_;
  SshOptions options_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(SshTest, UploadsTheAgentOnceAndRunsSteps) {
  std::string agent;
  fs::file_time_type uploaded;
  for (int round = 0; round < 2; ++round) {
    const auto session = connect();
    ASSERT_TRUE(session) << session.error().message();
    Told told;
    const Status status =
        (*session)->run(kOwner, {{"a", WriteFile{.path = "/etc/a", .content = "over ssh"}, ""}},
                        StepMode::apply, told.handler());
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(told.result("a"), round == 0 ? StepResult::changed : StepResult::unchanged);
    EXPECT_EQ(get("root/etc/a"), "over ssh");
    int count = 0;
    for (const auto& entry : fs::directory_iterator(path_ + "/remote")) {
      ++count;
      if (round == 0) uploaded = entry.last_write_time();
      EXPECT_EQ(entry.last_write_time(), uploaded) << "not uploaded again";
    }
    EXPECT_EQ(count, 1);
    EXPECT_EQ((*session)->facts({})->uid, 0U);
  }
}

TEST_F(SshTest, ADamagedAgentIsReplaced) {
  ASSERT_TRUE(connect());
  for (const auto& entry : fs::directory_iterator(path_ + "/remote")) {
    ASSERT_TRUE(write_file_atomically(entry.path(), "#!/bin/sh\necho owned\n", 0700));
  }
  const auto session = connect();
  ASSERT_TRUE(session) << session.error().message();
}

TEST_F(SshTest, RefusesAnUnknownHostAndShowsItsKey) {
  write("known_hosts", "");
  const auto session = connect();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), ErrorCode::authentication);
  const auto print = run_checked({.arguments = {"ssh-keygen", "-lf", path_ + "/host_key.pub"}});
  const std::string fingerprint = print->out.substr(4, print->out.find(' ', 4) - 4);
  ASSERT_TRUE(fingerprint.starts_with("SHA256:"));
  EXPECT_NE(session.error().message().find(fingerprint), std::string::npos) << session.error().message();
  EXPECT_FALSE(fs::exists(path_ + "/remote"));
}

TEST_F(SshTest, RefusesAChangedHostKey) {
  write("known_hosts", fmt::format("[127.0.0.1]:{} {}", port_, get("other_key.pub")));
  const auto session = connect();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), ErrorCode::authentication);
  EXPECT_NE(session.error().message().find("not the one known"), std::string::npos)
      << session.error().message();
}

TEST_F(SshTest, SaysThatTheLoginWasRefused) {
  options_.identity_file = path_ + "/other_key";
  const auto session = connect();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), ErrorCode::authentication);
  EXPECT_NE(session.error().message().find("ssh.identity"), std::string::npos) << session.error().message();
}

TEST_F(SshTest, SaysThatNobodyAnswers) {
  options_.port = 1;
  const auto session = connect();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), ErrorCode::network);
  EXPECT_NE(session.error().message().find("cp1 (127.0.0.1)"), std::string::npos)
      << session.error().message();
}

TEST_F(SshTest, RefusesAProgramForAnotherMachine) {
  auto program = find_agent_program({});
  ASSERT_TRUE(program);
  program->machine = program->machine == "x86_64" ? "aarch64" : "x86_64";
  auto transport = make_ssh_transport(options_, *program);
  ASSERT_TRUE(transport);
  const auto session = (*transport)->connect({"cp1", "127.0.0.1"});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), ErrorCode::unsupported);
}

TEST_F(SshTest, OneErrorNamesEveryHostThatCannotBeReached) {
  const auto program = find_agent_program({});
  options_.port = 1;
  auto transport = make_ssh_transport(options_, *program);
  ASSERT_TRUE(transport);
  const auto sessions = connect_all(**transport, {{"cp1", "127.0.0.1"}, {"cp2", "127.0.0.2"}});
  ASSERT_FALSE(sessions);
  EXPECT_NE(sessions.error().message().find("cp1"), std::string::npos);
  EXPECT_NE(sessions.error().message().find("cp2"), std::string::npos);
}

TEST_F(SshTest, AKilledInstallerLeavesNeitherConnectionNorAgentBehind) {
  const pid_t installer = ::fork();
  if (installer == 0) {
    const auto session = connect();
    if (session) write("connected", "");
    for (;;) ::pause();
  }
  for (int i = 0; i < 1000 && !fs::exists(path_ + "/connected"); ++i) ::usleep(20000);
  ASSERT_TRUE(fs::exists(path_ + "/connected"));
  const auto processes = [&] {
    const auto found =
        run({.arguments = {"pgrep", "-f", fmt::format("ssh .*-p {} |{}/remote/sealift-", port_, path_)}});
    return found ? found->out : "?";
  };
  EXPECT_NE(processes(), "");
  ::kill(installer, SIGKILL);
  ::waitpid(installer, nullptr, 0);
  for (int i = 0; i < 1000 && !processes().empty(); ++i) ::usleep(20000);
  EXPECT_EQ(processes(), "");
}

TEST_F(SshTest, LeavesNoConnectionBehind) {
  {
    const auto session = connect();
    ASSERT_TRUE(session);
  }
  transport_.reset();
  const auto left = run({.arguments = {"pgrep", "-f", fmt::format("ssh .*-p {} ", port_)}});
  ASSERT_TRUE(left);
  EXPECT_EQ(left->out, "");
}

}  // namespace
}  // namespace sealift::installer
