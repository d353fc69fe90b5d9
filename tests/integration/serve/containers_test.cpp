/// skopeo, podman and containerd as people configure them, against the mirror.
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class ContainersTest : public ServedBundleTest {
 protected:
  void SetUp() override {
    auto recipe = recipe_with_images();
    add_index(recipe);
    serve(recipe);
    ASSERT_TRUE(create_directories(path("certs")));
    fs::copy_file(path("ca.crt"), path("certs/ca.crt"));
    ASSERT_TRUE(
        write_file_atomically(path("policy.json"), R"({"default":[{"type":"insecureAcceptAnything"}]})"));
  }
  /// A sparse index: arm64 is named and absent.
  static void add_index(test::BundleRecipe& recipe) {
    recipe.image("quay.io/multi/app:child", {layer_with("app", "app")});
    const auto plan = recipe.plan();
    const auto* child = plan->contents.find_image("quay.io/multi/app:child");
    const auto size = plan->contents.find_blob(child->digest)->size;
    const std::string index = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
        R"({{"mediaType":"{0}","digest":"{1}","size":{2},"platform":{{"architecture":"amd64","os":"linux"}}}},)"
        R"({{"mediaType":"{0}","digest":"sha256:{3}","size":500,"platform":{{"architecture":"arm64","os":"linux"}}}}]}})",
        child->media_type, child->digest.str(), size, std::string(64, 'a'));
    recipe.image_blobs("quay.io/multi/app:2", "application/vnd.oci.image.index.v1+json",
                       {{"application/vnd.oci.image.index.v1+json", index}});
  }
};

TEST_F(ContainersTest, SkopeoCopiesOverTlsWithDigestsKept) {
  run_client({"skopeo", "--policy", path("policy.json"), "copy", "--src-cert-dir", path("certs"),
              "--preserve-digests", fmt::format("docker://{}/docker.io/library/web:1", registry()),
              "dir:" + path("web")});
  const std::string manifest = *read_file(path("web/manifest.json"), 1U << 20);
  const auto bundle = bundle::BundleFile::open(bundle_path);
  EXPECT_EQ(digest_of(manifest), (*bundle)->contents().find_image("docker.io/library/web:1")->digest);
  EXPECT_THAT(run_client({"skopeo", "list-tags", "--cert-dir", path("certs"),
                          fmt::format("docker://{}/docker.io/library/web", registry())}),
              HasSubstr("\"1\""));
  EXPECT_THAT(run_client({"skopeo", "inspect", "--raw", "--tls-verify=false",
                          fmt::format("docker://{}/quay.io/multi/app:2", registry())}),
              HasSubstr("arm64"));
}

TEST_F(ContainersTest, PodmanPullsThroughAMirrorEntry) {
  const std::string configuration = fmt::format(
      "[[registry]]\nprefix = \"registry.k8s.io\"\nlocation = "
      "\"registry.k8s.io\"\n[[registry.mirror]]\nlocation = \"{}/registry.k8s.io\"\ninsecure = true\n",
      registry());
  ASSERT_TRUE(write_file_atomically(path("registries.conf"), configuration));
  const std::vector<std::string> podman = {"podman",           "--root",           path("podman"),
                                           "--runroot",        path("podman-run"), "--tmpdir",
                                           path("podman-tmp"), "--storage-driver", "vfs"};
  auto pull = podman;
  pull.insert(pull.end(), {"pull", "--signature-policy", path("policy.json"), "registry.k8s.io/pause:3.10"});
  run_client(pull, {{"CONTAINERS_REGISTRIES_CONF", path("registries.conf")}});
  auto images = podman;
  images.insert(images.end(), {"images", "--noheading", "--format", "{{.Repository}}:{{.Tag}}"});
  EXPECT_THAT(run_client(images), HasSubstr("registry.k8s.io/pause:3.10"));
}

/// A containerd of our own.
class Containerd {
 public:
  explicit Containerd(const std::string& directory) : socket_(directory + "/containerd.sock") {
    const std::string configuration = fmt::format(
        "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\nroot = "
        "\"{0}/containerd-root\"\nstate = \"{0}/containerd-state\"\n"
        "[grpc]\n  address = \"{1}\"\n",
        directory, socket_);
    EXPECT_TRUE(write_file_atomically(directory + "/containerd.toml", configuration));
    const std::string log = directory + "/containerd.log";
    child_ = fork();
    if (child_ == 0) {
      const int fd = open(log.c_str(), O_CREAT | O_WRONLY, 0600);
      dup2(fd, STDOUT_FILENO);
      dup2(fd, STDERR_FILENO);
      const std::string file = directory + "/containerd.toml";
      execlp("containerd", "containerd", "--config", file.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 300; ++i) {
      const auto answer = run({{"ctr", "--address", socket_, "version"}});
      if (answer && answer->ok()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "containerd did not start: " << *read_file(log, 1U << 20);
  }
  ~Containerd() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  Containerd(const Containerd&) = delete;
  Containerd& operator=(const Containerd&) = delete;
  const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  pid_t child_ = -1;
};

TEST_F(ContainersTest, ContainerdPullsEveryUpstreamThroughOneDefaultMirror) {
  // Exactly the file the mirror gives away, but for the place of the CA.
  std::string hosts = run_client({"curl", "-sS", fmt::format("http://{}/client/hosts.toml", repository())});
  const std::string installed = "/etc/containerd/certs.d/sealift-site-ca.crt";
  ASSERT_THAT(hosts, HasSubstr(installed));
  hosts.replace(hosts.find("\"" + installed), installed.size() + 2, "\"" + path("ca.crt") + "\"");
  ASSERT_TRUE(create_directories(path("certs.d/_default")));
  ASSERT_TRUE(write_file_atomically(path("certs.d/_default/hosts.toml"), hosts));
  const Containerd containerd(directory.path().string());
  const auto pull = [&](const std::string& image) {
    run_client({"ctr", "--address", containerd.socket(), "images", "pull", "--snapshotter", "native",
                "--hosts-dir", path("certs.d"), image});
  };
  pull("registry.k8s.io/pause:3.10");
  pull("docker.io/library/web:1");
  pull("quay.io/multi/app:2");
  const std::string images = run_client({"ctr", "--address", containerd.socket(), "images", "list"});
  const auto bundle = bundle::BundleFile::open(bundle_path);
  for (const auto* name : {"registry.k8s.io/pause:3.10", "docker.io/library/web:1", "quay.io/multi/app:2"}) {
    EXPECT_THAT(images, HasSubstr(name));
    EXPECT_THAT(images, HasSubstr((*bundle)->contents().find_image(name)->digest.str()));
  }
  const std::string lines = access_log();
  EXPECT_THAT(lines, HasSubstr("/v2/pause/manifests/3.10?ns=registry.k8s.io"));
  EXPECT_THAT(lines, Not(HasSubstr("\" 404 ")));
}

}  // namespace
}  // namespace sealift::repo_server
