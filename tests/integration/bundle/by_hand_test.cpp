// The check that docs/bundle-format.md, section 6, promises: tar, sha256sum and openssl alone. The commands
// are read from that page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/base/process.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

/// The indented code blocks of the section as one script.
std::string documented_commands() {
  const std::string page = *read_file(std::string(SEALIFT_SOURCE_DIR) + "/docs/bundle-format.md", 1 << 20);
  const std::size_t from = page.find("## 6.");
  const std::string section = page.substr(from, page.find("## 7.") - from);
  std::string script = "set -euo pipefail\n";
  for (std::size_t at = 0; at < section.size();) {
    const std::size_t end = std::min(section.find('\n', at), section.size());
    const std::string line = section.substr(at, end - at);
    if (line.starts_with("    ")) script += line.substr(4) + "\n";
    at = end + 1;
  }
  return script;
}

class ByHand : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(test::small_bundle().write(directory_.path() / "x.tar", {&key_}));
    ASSERT_TRUE(write_file_atomically(directory_.path() / "sealift.pub", key_.public_key().pem()));
  }

  CommandOutput follow_the_page() {
    return *run({.arguments = {"bash", "-c", "cd \"$0\" && eval \"$1\"", directory_.path().string(),
                               documented_commands()}});
  }

  /// Another first letter where `text` stands last in the bundle.
  void change(std::string_view text) {
    const fs::path path = directory_.path() / "x.tar";
    std::string bytes = *read_file(path, 1 << 30);
    const std::size_t at = bytes.rfind(text);
    ASSERT_NE(at, std::string::npos);
    bytes[at] ^= 0x20;
    ASSERT_TRUE(write_file_atomically(path, bytes));
  }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  PrivateKey key_ = *PrivateKey::generate();
};

TEST_F(ByHand, TheDocumentedCommandsAcceptAGoodBundle) {
  const CommandOutput output = follow_the_page();
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out, testing::HasSubstr("Signature Verified Successfully"));
}

/// Section 4: the code block about compressed files, with the path of ours.
TEST_F(ByHand, TheDocumentedCommandsGetACompressedFile) {
  const std::string page = *read_file(std::string(SEALIFT_SOURCE_DIR) + "/docs/bundle-format.md", 1 << 20);
  const std::size_t from = page.find("stored=$(tar");
  ASSERT_NE(from, std::string::npos);
  const std::string script = page.substr(from, page.find("```", from) - from);
  const CommandOutput output =
      *run({.arguments = {"bash", "-c", "set -euo pipefail; cd \"$0\" && eval \"$1\"",
                          directory_.path().string(), script}});
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_EQ(read_file(directory_.path() / "kubelet", 1 << 20).value(), test::compressible_text(200000, 1));
}

TEST_F(ByHand, TheDocumentedCommandsRefuseAnotherKey) {
  ASSERT_TRUE(
      write_file_atomically(directory_.path() / "sealift.pub", PrivateKey::generate()->public_key().pem()));
  EXPECT_NE(follow_the_page().exit_code, 0);
}

TEST_F(ByHand, TheDocumentedCommandsFindAChangedBlob) {
  change("carried across");
  EXPECT_NE(follow_the_page().exit_code, 0);
}

TEST_F(ByHand, TheDocumentedCommandsLeaveAChangedProgramWithoutTheRightToRun) {
  EXPECT_EQ(follow_the_page().exit_code, 0);
  EXPECT_EQ(access((directory_.path() / "sealift").c_str(), X_OK), 0);
  fs::remove(directory_.path() / "sealift");
  fs::remove_all(directory_.path() / "x");
  change("#!/bin/true");
  EXPECT_NE(follow_the_page().exit_code, 0);
  EXPECT_NE(access((directory_.path() / "sealift").c_str(), X_OK), 0);
}

TEST_F(ByHand, TheDocumentedCommandsFindASecondEntryOfOneName) {
  const fs::path program = directory_.path() / "sealift/sealift-linux-amd64";
  fs::create_directories(program.parent_path());
  ASSERT_TRUE(write_file_atomically(program, "another program\n", 0755));
  ASSERT_TRUE(run_checked({{"tar", "-rf", (directory_.path() / "x.tar").string(), "-C",
                            directory_.path().string(), "sealift/sealift-linux-amd64"}}));
  fs::remove_all(program.parent_path());
  EXPECT_NE(follow_the_page().exit_code, 0);
  EXPECT_NE(access((directory_.path() / "sealift").c_str(), X_OK), 0);
}

}  // namespace
}  // namespace sealift::bundle
