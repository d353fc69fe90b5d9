/// A mirror that runs in this process on free loopback ports, over a small bundle with real images.
#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/process.hpp"
#include "lib/bundle/reader.hpp"
#include "repo-server/mirror.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::repo_server {

inline std::string random_text(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) {
    seed = seed * 1664525U + 1013904223U;
    c = static_cast<char>(seed >> 24U);
  }
  return text;
}

/// A tar with one file `name`.
inline std::string layer_with(const std::string& name, const std::string& content) {
  const auto directory = TemporaryDirectory::create("layer");
  EXPECT_TRUE(write_file_atomically(directory->path() / name, content, 0755));
  const fs::path tar = directory->path() / "layer.tar";
  const auto made = run_checked(
      {{"tar", "--owner=0", "--group=0", "-C", directory->path().string(), "-cf", tar.string(), name}});
  EXPECT_TRUE(made) << made.error().message();
  return *read_file(tar, 1U << 30);
}

class ServedBundleTest : public testing::Test {
 protected:
  static constexpr std::size_t kBigBytes = 9'000'001;

  /// Also for recipes of the test's own.
  void serve(const test::BundleRecipe& recipe) {
    signal(SIGPIPE, SIG_IGN);
    bundle_path = directory.path() / "bundle.tar";
    const Status written = recipe.write(bundle_path, {&key});
    ASSERT_TRUE(written) << written.error().message();
    ASSERT_TRUE(write_file_atomically(directory.path() / "sealift.pub", key.public_key().pem()));
    options.bundles = {bundle_path};
    options.keys = {directory.path() / "sealift.pub"};
    options.listen = {"127.0.0.1"};
    options.registry_port = 0;
    options.repository_port = 0;
    options.state_directory = directory.path() / "state";
    options.access_log = (directory.path() / "access.log").string();
    start();
  }
  void start() {
    mirror.reset();
    auto started = Mirror::start(options, log);
    ASSERT_TRUE(started) << started.error().message();
    mirror = std::move(*started);
    ASSERT_TRUE(write_file_atomically(directory.path() / "ca.crt", mirror->ca_pem()));
  }

  test::BundleRecipe recipe_with_images() {
    test::BundleRecipe recipe;
    recipe.image("registry.k8s.io/pause:3.10", {layer_with("pause", "#!/bin/true\n")});
    recipe.image("docker.io/library/web:1", {layer_with("web", "web"), layer_with("big", big)});
    recipe.file("big.bin", big).file("notes.txt", "carried across\n").file("empty", "");
    return recipe;
  }

  std::string registry() const { return fmt::format("127.0.0.1:{}", mirror->registry_port()); }
  std::string repository() const { return fmt::format("127.0.0.1:{}", mirror->repository_port()); }
  std::string path(const std::string& name) const { return (directory.path() / name).string(); }
  std::string access_log() {
    mirror->stop(std::chrono::seconds(5));
    return *read_file(directory.path() / "access.log", 64U << 20);
  }

  /// Runs a client; its output on success, and a failure of the test otherwise.
  std::string run_client(std::vector<std::string> arguments,
                         std::map<std::string, std::string> environment = {}) {
    Command command;
    command.arguments = std::move(arguments);
    command.environment = std::move(environment);
    command.deadline = std::chrono::seconds(90);
    command.output_limit_bytes = 64U << 20;
    const auto output = run_checked(command);
    EXPECT_TRUE(output) << output.error().message();
    return output ? output->out : std::string();
  }

  /// curl's status of a GET whose head goes to the file `head` and whose body goes to `body`.
  std::string status_of(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"curl",       "-sS", "--cacert",   path("ca.crt"), "-o",
                                          path("body"), "-D",  path("head"), "-w",           "%{http_code}"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_client(arguments);
  }
  std::string body() { return *read_file(path("body"), 64U << 20); }
  std::string head() { return *read_file(path("head"), 1U << 20); }

  const std::string big = random_text(kBigBytes, 7);
  TemporaryDirectory directory = *TemporaryDirectory::create("served");
  PrivateKey key = *PrivateKey::generate();
  Log log{LogLevel::warning};
  MirrorOptions options;
  fs::path bundle_path;
  std::unique_ptr<Mirror> mirror;
};

}  // namespace sealift::repo_server
