#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/integration/apt/upstream_fixture.hpp"

namespace sealift::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A whole small Debian in a directory, entered without any network: only what our repository holds can be
/// installed.
class Machine {
 public:
  static Result<Machine> create(const fs::path& tar) {
    TRY_ASSIGN(auto directory, TemporaryDirectory::create("machine"));
    // apt's own user must be able to walk in.
    fs::permissions(directory.path(), fs::perms(0755));
    Command extract;
    extract.arguments = {"tar",        "--extract",   "--file",
                         tar.string(), "--directory", directory.path().string()};
    extract.deadline = std::chrono::minutes(5);
    TRY(run_checked(extract));
    Machine machine(std::move(directory));
    TRY(write_file_atomically(machine.root() / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0755));
    TRY(write_file_atomically(machine.root() / "etc/apt/sources.list", ""));
    return machine;
  }

  fs::path root() const { return directory_.path(); }

  /// Runs inside, in name spaces of its own that end with it: no network, own mounts and processes.
  CommandOutput enter(const std::string& script) const {
    Command command;
    command.arguments = {"unshare",
                         "--mount",
                         "--net",
                         "--pid",
                         "--fork",
                         "--kill-child",
                         "sh",
                         "-c",
                         "mount -t proc proc \"$0/proc\" && mount --bind /dev \"$0/dev\" && "
                         "exec chroot \"$0\" /bin/sh -ec \"$1\"",
                         root().string(),
                         script};
    command.environment = {
        {"DEBIAN_FRONTEND", "noninteractive"}, {"LC_ALL", "C"}, {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
    command.deadline = std::chrono::minutes(15);
    auto output = run(command);
    if (!output) return {255, "", output.error().message()};
    return *output;
  }

 private:
  explicit Machine(TemporaryDirectory directory) : directory_(std::move(directory)) {}
  TemporaryDirectory directory_;
};

class Install : public UpstreamTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to enter a chroot";
    UpstreamTest::SetUp();
  }

  /// Locks `set`, writes its repository into the machine and installs everything asked for from there alone.
  void install_all(const bundle::PackageSetSpec& set, const Machine& machine) {
    const auto resolved = builder::resolve_package_set(set, context());
    ASSERT_TRUE(resolved) << resolved.error().message();
    auto key = openpgp::SecretKey::generate(openpgp::KeyAlgorithm::ed25519, "Sealift test <test@example.com>",
                                            now());
    ASSERT_TRUE(key);
    const auto written =
        write_repository(*resolved, *key, now() - std::chrono::minutes(1), machine.root() / "srv");
    ASSERT_TRUE(written) << written.error().message();
    ASSERT_TRUE(
        write_file_atomically(machine.root() / "etc/apt/sources.list",
                              "deb [signed-by=/srv/keys/repository.gpg] file:/srv/apt/debian stable main\n"));
    const auto update = machine.enter("apt-get update");
    ASSERT_TRUE(update.ok()) << update.out << update.err;
    const auto install = machine.enter(
        fmt::format("apt-get install -y --no-install-recommends {}", fmt::join(set.install, " ")));
    ASSERT_TRUE(install.ok()) << install.out << install.err;
    const auto audit = machine.enter("dpkg --audit && apt-get check");
    EXPECT_TRUE(audit.ok()) << audit.err;
    const auto versions =
        machine.enter("dpkg-query --show --showformat '${db:Status-Abbrev}${Package}=${Version}\\n' " +
                      fmt::format("{}", fmt::join(set.install, " ")));
    for (const auto& [name, version] : versions_of(resolved->set)) {
      if (std::find(set.install.begin(), set.install.end(), name) == set.install.end()) continue;
      EXPECT_THAT(versions.out, HasSubstr(fmt::format("ii {}={}\n", name, version)));
    }
  }
};

TEST_F(Install, NothingNeededIsMissingOnAMachineKnownByItsStatusFile) {
  const auto minimal = minimal_system(repositories_);
  ASSERT_TRUE(minimal) << minimal.error().message();
  const auto machine = Machine::create(minimal->tar);
  ASSERT_TRUE(machine) << machine.error().message();
  install_all(spec(file("status", minimal->status)), *machine);
  const auto runs = machine->enter(
      "nginx -v && haproxy -v && keepalived --version && containerd --version && runc --version");
  EXPECT_TRUE(runs.ok()) << runs.err;
}

TEST_F(Install, NothingNeededIsMissingOnAMachineKnownByANamedBaseline) {
  const auto minimal = minimal_system(repositories_);
  ASSERT_TRUE(minimal) << minimal.error().message();
  const auto machine = Machine::create(minimal->tar);
  ASSERT_TRUE(machine) << machine.error().message();
  file("minimal.list", "# what mmdebstrap's minbase is asked for\napt\n");
  install_all(spec("minimal"), *machine);
}

}  // namespace
}  // namespace sealift::test
