/// The program itself: `sealift serve` started, asked, and stopped by signal.
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "repo-server/http/listen.hpp"
#include "tests/integration/serve/served_bundle.hpp"

#ifdef SEALIFT_PROGRAM
namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProgramTest : public ServedBundleTest {
 protected:
  void SetUp() override {
    bundle_path = directory.path() / "bundle.tar";
    ASSERT_TRUE(test::small_bundle().write(bundle_path, {&key}));
    ASSERT_TRUE(write_file_atomically(path("sealift.pub"), key.public_key().pem()));
  }
  void TearDown() override {
    if (child_ > 0) kill(child_, SIGKILL);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  /// Starts the program with `sockets` as systemd would hand them over; output goes to program.log.
  void start_program(std::vector<std::string> arguments, const std::vector<int>& sockets = {}) {
    arguments.insert(arguments.begin(), SEALIFT_PROGRAM);
    std::vector<char*> raw;
    for (auto& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    const std::string log_path = path("program.log");
    child_ = fork();
    if (child_ != 0) return;
    const int fd = open(log_path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      const int copy = fcntl(sockets[i], F_DUPFD, 50);
      dup2(copy, 3 + static_cast<int>(i));
    }
    if (!sockets.empty()) {
      setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
      setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
    }
    execv(raw[0], raw.data());
    _exit(127);
  }
  void wait_for(const std::string& url) {
    for (int i = 0; i < 200; ++i) {
      const auto output = run({{"curl", "-sS", "-o", "/dev/null", url}});
      if (output && output->ok()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "no answer from " << url << ": " << *read_file(path("program.log"), 1U << 20);
  }
  int wait_for_end() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  /// `text` holds these units, each after a line with its path, and systemd has nothing to say about them.
  void verify_units(const std::string& text, const std::vector<std::string>& names) {
    std::vector<std::string> arguments = {"systemd-analyze", "verify", "--man=no"};
    std::size_t end = text.size();
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      const std::size_t begin = text.rfind("# /etc/systemd/system/" + *name, end);
      ASSERT_NE(begin, std::string::npos) << *name;
      ASSERT_TRUE(write_file_atomically(path(*name), text.substr(begin, end - begin)));
      arguments.push_back(path(*name));
      end = begin;
    }
    EXPECT_EQ(end, 0U);
    if (!run({{"systemd-analyze", "--version"}})) return;
    const auto verified = run({arguments});
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->out + verified->err, "");
  }

  pid_t child_ = -1;
};

TEST_F(ProgramTest, ServesOnInheritedSocketsAndEndsOnSigterm) {
  const auto registry_socket = http::listen_on("127.0.0.1", 0);
  const auto repository_socket = http::listen_on("127.0.0.1", 0);
  const auto registry_port = *http::local_port(*registry_socket);
  const auto repository_port = *http::local_port(*repository_socket);
  start_program({"serve", "--key", path("sealift.pub"), "--registry-port", std::to_string(registry_port),
                 "--repository-port", std::to_string(repository_port), bundle_path.string()},
                {registry_socket->get(), repository_socket->get()});
  wait_for(fmt::format("http://127.0.0.1:{}/readyz", repository_port));
  EXPECT_EQ(run_client({"curl", "-sS", fmt::format("http://127.0.0.1:{}/files/notes.txt", repository_port)}),
            "carried across\n");
  EXPECT_THAT(run_client({"curl", "-sS", fmt::format("http://127.0.0.1:{}/v2/_catalog", registry_port)}),
              HasSubstr("registry.k8s.io/pause"));
  kill(child_, SIGTERM);
  EXPECT_EQ(wait_for_end(), 0);
  EXPECT_THAT(*read_file(path("program.log"), 1U << 20), HasSubstr("stopping on SIGTERM"));
}

TEST_F(ProgramTest, GoesOnByItselfAfterTheBundleWasSignedOnceMore) {
  const auto registry_socket = http::listen_on("127.0.0.1", 0);
  const auto repository_socket = http::listen_on("127.0.0.1", 0);
  const auto repository_port = *http::local_port(*repository_socket);
  start_program({"serve", "--key", path("sealift.pub"), "--registry-port",
                 std::to_string(*http::local_port(*registry_socket)), "--repository-port",
                 std::to_string(repository_port), bundle_path.string()},
                {registry_socket->get(), repository_socket->get()});
  const std::string notes = fmt::format("http://127.0.0.1:{}/files/notes.txt", repository_port);
  wait_for(notes);
  ASSERT_TRUE(write_file_atomically(path("colleague.key"), PrivateKey::generate()->pem(), 0600));
  run_client({SEALIFT_PROGRAM, "sign", bundle_path.string(), "--key", path("colleague.key")});
  // 503 until the next look, after which curl asks again.
  EXPECT_EQ(run_client({"curl", "-sS", "-f", "--retry", "20", "--retry-delay", "1", notes}),
            "carried across\n");
  kill(child_, SIGTERM);
  EXPECT_EQ(wait_for_end(), 0);
}

TEST_F(ProgramTest, RefusesWithoutKeyWithOtherKeyAndOnAPortInUse) {
  const auto taken = http::listen_on("127.0.0.1", 0);
  const std::string port = std::to_string(*http::local_port(*taken));
  const std::string other = path("other.pub");
  ASSERT_TRUE(write_file_atomically(other, PrivateKey::generate()->public_key().pem()));
  const auto refuse = [&](std::vector<std::string> arguments, const std::string& message) {
    arguments.insert(arguments.begin(),
                     {SEALIFT_PROGRAM, "serve", "--listen", "127.0.0.1", "--registry-port"});
    arguments.push_back(bundle_path.string());
    const auto output = run({arguments});
    ASSERT_TRUE(output);
    EXPECT_NE(output->exit_code, 0);
    EXPECT_THAT(output->err, HasSubstr(message));
  };
  refuse({"0", "--repository-port", "0"}, "--key");
  refuse({"0", "--repository-port", "0", "--key", other}, "signature");
  refuse({"0", "--repository-port", "0", "--key", path("sealift.pub"), "--threshold", "2"},
         "expected 2 signature");
  refuse({port, "--key", path("sealift.pub")}, "in use by another program");
}

TEST_F(ProgramTest, PrintsUnitsThatSystemdAccepts) {
  const std::string units =
      run_client({SEALIFT_PROGRAM, "serve", "--print-unit", "--key", path("sealift.pub"), "--threads", "3",
                  "--idle-timeout", "20", "--access-log", "off", "--no-background-verify", "--tls-cert",
                  "/etc/a site/100%.crt", "--tls-key", "/etc/a site/100%.key", bundle_path.string()});
  EXPECT_THAT(
      units,
      HasSubstr(R"("--idle-timeout" "20" "--threads" "3" "--access-log" "off" "--no-background-verify")"));
  EXPECT_THAT(units, HasSubstr("DynamicUser=yes"));
  // A key of mode 0600 is not the dynamic user's: systemd reads it.
  EXPECT_THAT(units, HasSubstr("\nLoadCredential=tls.crt:/etc/a site/100%%.crt\n"));
  EXPECT_THAT(units, HasSubstr("\nLoadCredential=tls.key:/etc/a site/100%%.key\n"));
  EXPECT_THAT(units, HasSubstr(R"( --tls-key "${CREDENTIALS_DIRECTORY}/tls.key" )"));
  EXPECT_THAT(units, HasSubstr("\nPathChanged=/etc/a site/100%%.crt\nPathChanged=/etc/a site/100%%.key\n"));
  EXPECT_THAT(units, HasSubstr("\nExecStart=systemctl try-restart sealift.service\n"));
  verify_units(units, {"sealift.service", "sealift.socket", "sealift-tls.path", "sealift-tls.service"});
}

TEST_F(ProgramTest, ItsSocketUnitListensWhereTheServerWould) {
  const std::string units =
      run_client({SEALIFT_PROGRAM, "serve", "--print-unit", "--key", path("sealift.pub"), "--listen",
                  "10.0.0.1", "--listen", "::", "--registry-port", "5001", bundle_path.string()});
  EXPECT_THAT(units, HasSubstr("\nListenStream=10.0.0.1:5001\nListenStream=10.0.0.1:12480\n"
                               "ListenStream=[::]:5001\nListenStream=[::]:12480\n"
                               "BindIPv6Only=ipv6-only\n"));
  EXPECT_THAT(units, Not(HasSubstr("sealift-tls")));
  verify_units(units, {"sealift.service", "sealift.socket"});
}

TEST_F(ProgramTest, RefusesUnitsThatCouldNotStart) {
  const auto print = [&](const std::string& option, const std::string& value) {
    const auto output = run({{SEALIFT_PROGRAM, "serve", "--print-unit", "--key", path("sealift.pub"), option,
                              value, bundle_path.string()}});
    EXPECT_TRUE(output);
    return output->ok() ? output->out : output->err;
  };
  for (const char* file : {"/var/log/sealift.log", "access.log", "/var/lib/sealift-serve",
                           "/var/lib/sealift-serve/../access.log", "/var/lib/sealift-server/access.log"}) {
    EXPECT_THAT(print("--access-log", file), HasSubstr("the unit can write to /var/lib/sealift-serve only"));
  }
  EXPECT_THAT(print("--access-log", "/var/lib/sealift-serve/access.log"),
              HasSubstr("\"--access-log\" \"/var/lib/sealift-serve/access.log\""));
  EXPECT_THAT(print("--access-log", "-"), HasSubstr("\n[Service]\n"));
  EXPECT_THAT(print("--listen", "mirror.site"), HasSubstr("not a numeric IPv4 or IPv6 address"));
}

}  // namespace
}  // namespace sealift::repo_server
#endif
