// A bundle is an OCI image layout: programs that know nothing of Sealift find its images by their full names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/process.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

class ImageReaders : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(test::small_bundle().write(path_, {&key_})); }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "x.tar";
  PrivateKey key_ = *PrivateKey::generate();
};

TEST_F(ImageReaders, SkopeoCopiesAnImageOutByItsFullName) {
  const fs::path copy = directory_.path() / "copy";
  const auto output =
      run_checked({.arguments = {"skopeo", "--insecure-policy", "copy",
                                 "oci-archive:" + path_.string() + ":registry.k8s.io/pause:3.10",
                                 "dir:" + copy.string()}});
  ASSERT_TRUE(output) << output.error().message();
  EXPECT_TRUE(fs::exists(copy / "manifest.json"));
}

TEST_F(ImageReaders, SkopeoSaysWhenAnImageIsNotThere) {
  const auto output = run(
      {.arguments = {"skopeo", "inspect", "oci-archive:" + path_.string() + ":registry.k8s.io/pause:3.9"}});
  ASSERT_TRUE(output);
  EXPECT_NE(output->exit_code, 0);
}

TEST_F(ImageReaders, ContainerdImportsEveryImage) {
  // Its own containerd, in its own folder, ended with its shell.
  const std::string script = R"(
set -eu
cd "$0"
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]\n' >config.toml
containerd --config config.toml --root "$0/root" --state "$0/state" --address "$0/c.sock" >containerd.log 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon 2>/dev/null || true' EXIT
for i in $(seq 200); do ctr -a "$0/c.sock" version >/dev/null 2>&1 && break; sleep 0.05; done
ctr -a "$0/c.sock" images import --no-unpack x.tar 2>&1
ctr -a "$0/c.sock" images ls -q
)";
  const auto output = run(
      {.arguments = {"bash", "-c", script, directory_.path().string()}, .deadline = std::chrono::minutes(2)});
  ASSERT_TRUE(output) << output.error().message();
  EXPECT_EQ(output->exit_code, 0) << output->out << output->err;
  EXPECT_THAT(output->out, testing::HasSubstr("registry.k8s.io/pause:3.10\n"));
  EXPECT_THAT(output->out, testing::HasSubstr("docker.io/library/web:1\n"));
}

}  // namespace
}  // namespace sealift::bundle
