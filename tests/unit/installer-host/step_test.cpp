#include "installer/host/step.hpp"

#include <gtest/gtest.h>

namespace sealift::installer {
namespace {

Download some_download() {
  return {.urls = {"http://10.0.0.10:12480/files/x"}, .digest = digest_of("x"), .size = 1, .ca_pem = "pem"};
}

/// One of every kind, each member different from its default.
std::vector<Action> every_kind() {
  return {
      WriteFile{.path = "/etc/a", .content = "text\n", .mode = 0600, .secrecy = Secrecy::secret},
      FetchFile{
          .from = some_download(), .path = "/usr/local/bin/kubelet", .mode = 0755, .elf_machine = "x86_64"},
      UnpackArchive{
          .from = some_download(), .directory = "/opt/cni/bin", .strip_components = 1, .members = {"bridge"}},
      RemovePath{.path = "/etc/nginx/sites-enabled/default"},
      MakeDirectory{.path = "/etc/kubernetes", .mode = 0700},
      Symlink{.path = "/opt/cni/bin", .target = "/usr/lib/cni"},
      FileBlock{.path = "/etc/hosts", .name = "hosts", .content = "10.0.0.1 a\n"},
      KernelModules{.file = "/etc/modules-load.d/s.conf", .modules = {"overlay", "br_netfilter"}},
      Sysctl{.file = "/etc/sysctl.d/s.conf", .values = {{"net.ipv4.ip_forward", "1"}}},
      SwapOff{},
      SetHostname{.name = "cp1"},
      InstallPackages{.repository_urls = {"http://10.0.0.10:12480/apt/debian-12"},
                      .suite = "s",
                      .component = "c",
                      .key = "key",
                      .ca_pem = "pem",
                      .packages = {{"nginx", "1.22.1-9"}}},
      SystemdUnit{.unit = "containerd.service",
                  .enabled = Wanted::leave,
                  .active = Wanted::no,
                  .restart_on = {"a"},
                  .reload_on = {"b"},
                  .deadline = std::chrono::seconds(5)},
      installer::Run{.arguments = {"kubeadm", "init"},
                     .environment = {{"A", "b"}},
                     .input = "in",
                     .input_secrecy = Secrecy::secret,
                     .creates = "/etc/kubernetes/admin.conf",
                     .mark = "joined\n",
                     .check = {"true"},
                     .recover = {"kubeadm", "reset", "-f"},
                     .timeout = std::chrono::seconds(9),
                     .retry_for = std::chrono::seconds(8),
                     .success_codes = {0, 3},
                     .output_secrecy = Secrecy::secret,
                     .redact = {"t"},
                     .restart_on = {"a"}},
      Capture{.arguments = {"hostname"}, .timeout = std::chrono::seconds(3), .secrecy = Secrecy::secret},
      ReadFile{.path = "/etc/kubernetes/admin.conf", .secrecy = Secrecy::secret},
      WaitFor{.condition = TcpReachable{.address = "127.0.0.1", .port = 6443},
              .deadline = std::chrono::seconds(7)},
      WaitFor{.condition =
                  HttpAnswers{
                      .url = "https://127.0.0.1:6443/readyz", .status = 401, .ca_pem = "p", .ca_file = "/a"}},
      WaitFor{.condition = FileExists{.path = "/a"}},
      WaitFor{.condition =
                  CommandSucceeds{.arguments = {"true"}, .timeout = std::chrono::seconds(2), .expect = "ok"}},
  };
}

TEST(StepJson, EveryKindComesBackAsItWas) {
  for (const Action& action : every_kind()) {
    const Step step{.id = "p/h/n", .action = action, .hint = "do this"};
    const std::string text = json::serialize(to_json(step));
    const auto back = step_from_json(to_json(step), "step");
    ASSERT_TRUE(back) << text << back.error().message();
    EXPECT_EQ(json::serialize(to_json(*back)), text);
    EXPECT_EQ(back->action.index(), action.index());
    EXPECT_EQ(back->hint, "do this");
  }
}

Status parse(std::string_view text) {
  const auto value = json::parse(text, "test");
  if (!value) return tl::unexpected(value.error());
  const auto step = step_from_json(*value, "step");
  if (!step) return tl::unexpected(step.error());
  return {};
}

TEST(StepJson, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(parse(R"({"id":"a","kind":"write_file","path":"/etc/a","content":"x"})"));
  const auto unknown_member =
      parse(R"({"id":"a","kind":"write_file","path":"/etc/a","content":"x","owner":"me"})");
  ASSERT_FALSE(unknown_member);
  EXPECT_NE(unknown_member.error().message().find("owner"), std::string::npos)
      << unknown_member.error().message();
  EXPECT_FALSE(parse(R"({"id":"a","kind":"format_disk"})"));
  EXPECT_FALSE(parse(R"({"kind":"swap_off"})"));
  EXPECT_FALSE(parse(R"({"id":"a\nb","kind":"swap_off"})"));
  EXPECT_FALSE(parse(R"([])"));
}

TEST(StepJson, RefusesDangerousValues) {
  for (const char* path : {"etc/a", "/etc/../a", "", "/etc//a", "/etc/./a", "/etc/a/"}) {
    EXPECT_FALSE(parse(fmt::format(R"({{"id":"a","kind":"remove_path","path":"{}"}})", path))) << path;
  }
  EXPECT_FALSE(parse(R"({"id":"a","kind":"write_file","path":"/a","mode":2541})")) << "set-uid";
  EXPECT_FALSE(parse(R"({"id":"a","kind":"kernel_modules","file":"/a","modules":["--force"]})"));
  EXPECT_FALSE(parse(R"({"id":"a","kind":"systemd_unit","unit":"a b.service"})"));
  EXPECT_FALSE(parse(R"({"id":"a","kind":"run","arguments":[]})"));
  EXPECT_FALSE(parse(R"({"id":"a","kind":"run","arguments":["x"],"timeout_s":-1})"));
  EXPECT_FALSE(parse(R"({"id":"a","kind":"run","arguments":["x"],"mark":"joined"})"))
      << "no file for the mark";
  EXPECT_FALSE(
      parse(R"({"id":"a","kind":"wait_for","condition":{"kind":"tcp","address":"1.2.3.4","port":70000}})"));
}

TEST(Step, DescriptionsAndFingerprintsHoldNoSecret) {
  WriteFile file{.path = "/etc/key", .content = "TOPSECRET", .mode = 0600, .secrecy = Secrecy::secret};
  EXPECT_EQ(describe(file).find("TOPSECRET"), std::string::npos);
  const Digest before = fingerprint(file);
  file.content = "OTHER";
  EXPECT_EQ(fingerprint(file), before) << "a digest of a secret is a way to guess it";
  file.secrecy = Secrecy::open;
  EXPECT_NE(fingerprint(file), before);
}

TEST(Step, FingerprintLeavesOutWhatDoesNotChangeTheResult) {
  installer::Run run{.arguments = {"a"}};
  const Digest before = fingerprint(run);
  run.timeout = std::chrono::seconds(1);
  EXPECT_EQ(fingerprint(run), before);
  run.arguments.emplace_back("b");
  EXPECT_NE(fingerprint(run), before);
}

}  // namespace
}  // namespace sealift::installer
