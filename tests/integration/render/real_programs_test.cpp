/// The rendered texts, judged by the programs that will read them. A program that is not installed skips its
/// test; CI has them all (scripts/install-deps).
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/render/balancer.hpp"
#include "installer/render/runtime.hpp"
#include "installer/render/system.hpp"
#include "lib/base/files.hpp"
#include "lib/base/process.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

class RealPrograms : public ::testing::Test {
 protected:
  /// Full path of a program, or empty.
  static std::string find(const char* name) {
    for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/bin/"})
      if (fs::exists(directory + std::string(name))) return directory + std::string(name);
    return "";
  }
  std::string write(const std::string& name, const Result<std::string>& text) {
    EXPECT_TRUE(text) << text.error().message();
    const std::string path = (directory_.path() / name).string();
    EXPECT_TRUE(write_file_atomically(path, text.value_or("")));
    return path;
  }
  static CommandOutput run_program(std::vector<std::string> arguments) {
    Command command;
    command.arguments = std::move(arguments);
    command.deadline = std::chrono::seconds(30);
    auto output = run(command);
    EXPECT_TRUE(output) << output.error().message();
    return output.value_or(CommandOutput{});
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create("render").value();
};

/// keepalived looks whether the interface is there and refuses the loopback one; empty: this machine has no
/// other.
std::string some_interface() {
  for (const auto& entry : fs::directory_iterator("/sys/class/net"))
    if (entry.path().filename() != "lo") return entry.path().filename().string();
  return "";
}

KeepalivedSettings keepalived_settings() {
  return {"prod",
          "m1",
          some_interface(),
          address("192.168.2.11"),
          {address("192.168.2.12"), address("192.168.2.13")},
          100,
          200,
          address("192.168.2.100")};
}

TEST_F(RealPrograms, KeepalivedTakesItsConfiguration) {
  const std::string program = find("keepalived");
  if (program.empty() || some_interface().empty())
    GTEST_SKIP() << "keepalived or a network interface is missing";
  const std::string file = write("keepalived.conf", render_keepalived(keepalived_settings()));
  const CommandOutput output = run_program({program, "-t", "-f", file});
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
}

TEST_F(RealPrograms, KeepalivedRefusesABrokenOne) {
  const std::string program = find("keepalived");
  if (program.empty() || some_interface().empty())
    GTEST_SKIP() << "keepalived or a network interface is missing";
  KeepalivedSettings broken = keepalived_settings();
  broken.router_id = 300;
  EXPECT_NE(run_program({program, "-t", "-f", write("keepalived.conf", render_keepalived(broken))}).exit_code,
            0);
}

TEST_F(RealPrograms, NginxTakesItsConfiguration) {
  const std::string program = find("nginx");
  const std::string module = "/usr/lib/nginx/modules/ngx_stream_module.so";
  if (program.empty() || !fs::exists(module)) GTEST_SKIP() << "nginx with its stream module is not installed";
  for (const bool v6 : {false, true}) {
    NginxSettings settings{"prod", {address("127.0.0.2"), address("127.0.0.3")}, 26443, v6};
    if (v6) settings.servers = {address("::1")};
    std::string text = render_nginx(settings).value();
    // The service's own directory in /run exists only while it runs.
    const std::string pid = "pid /run/sealift-lb/nginx.pid;";
    ASSERT_NE(text.find(pid), std::string::npos);
    text.replace(text.find(pid), pid.size(), "pid " + (directory_.path() / "nginx.pid").string() + ";");
    const CommandOutput output = run_program({program, "-t", "-c", write("nginx.conf", text)});
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  }
}

TEST_F(RealPrograms, ChronyTakesItsConfigurations) {
  const std::string program = find("chronyd");
  if (program.empty()) GTEST_SKIP() << "chrony is not installed";
  const TimeRole server{{"192.168.2.12"}, {"192.168.2.12", "192.168.2.21"}};
  const TimeRole client{{"192.168.2.11", "192.168.2.12"}, {}};
  for (const TimeRole& role : {server, client}) {
    const CommandOutput output =
        run_program({program, "-p", "-f", write("chrony.conf", render_chrony("prod", role))});
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    EXPECT_THAT(output.out + output.err, HasSubstr("server 192.168.2.12 iburst"));
  }
}

TEST_F(RealPrograms, ContainerdUnderstandsItsConfiguration) {
  const std::string program = find("containerd");
  if (program.empty()) GTEST_SKIP() << "containerd is not installed";
  const CommandOutput version = run_program({program, "--version"});
  // "containerd github.com/containerd/containerd 1.6.20~ds1 …"
  std::string word;
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = version.out.find(' ', begin);
    word = version.out.substr(begin, end - begin);
    if (ReleaseVersion::parse(word)) break;
  }
  const auto release = ReleaseVersion::parse(word);
  ASSERT_TRUE(release) << version.out;
  const std::string file = write("config.toml", render_containerd(*release, "registry.k8s.io/pause:3.10"));
  const CommandOutput output = run_program({program, "--config", file, "config", "dump"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("SystemdCgroup = true"));
  EXPECT_THAT(output.out, HasSubstr("registry.k8s.io/pause:3.10"));
  EXPECT_THAT(output.out, HasSubstr("config_path = \"/etc/containerd/certs.d\""));
}

}  // namespace
}  // namespace sealift::installer
