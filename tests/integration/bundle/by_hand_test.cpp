// The check that docs/bundle-format.md, section 6, promises: tar, sha256sum and openssl alone. The commands
// are read from that page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  const fs::path path = directory_.path() / "x.tar";
  std::string bytes = *read_file(path, 1 << 30);
  const std::size_t at = bytes.rfind("carried across");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'C';
  ASSERT_TRUE(write_file_atomically(path, bytes));
  EXPECT_NE(follow_the_page().exit_code, 0);
}

}  // namespace
}  // namespace sealift::bundle
