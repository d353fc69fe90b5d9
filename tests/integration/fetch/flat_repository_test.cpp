// A flat repository made by apt's own tools, through bundle.yaml, lock and bundle, back into the real apt.
#include "builder/packages/package_set.hpp"
#include "lib/oci/platform.hpp"
#include "tests/integration/apt/apt_client.hpp"
#include "tests/integration/fetch/bundle_fixture.hpp"

namespace sealift::test {
namespace {

openpgp::SecretKey new_key(const std::string& owner) {
  return *openpgp::SecretKey::generate(openpgp::KeyAlgorithm::ed25519, owner, now() - std::chrono::hours(1));
}

class FlatRepository : public BundleTest {
 protected:
  void SetUp() override {
    BundleTest::SetUp();
    repository_key_ = new_key("Bundle <bundle@example.com>");
    architecture_ = *builder::debian_architecture(oci::own_platform().str());
    ASSERT_OK(sealift::create_directories(root() / "sub"));
    make_deb("flat-app", architecture_, "Depends: flat-data\n");
    make_deb("flat-data", "all", "");
    const openpgp::SecretKey key = new_key("Upstream <upstream@example.com>");
    ASSERT_OK(write_file_atomically(path("upstream.gpg"), key.public_key()));
    ASSERT_OK(write_file_atomically(root() / "sub/Packages", tool({"apt-ftparchive", "packages", "sub"})));
    const std::string release = tool({"apt-ftparchive", "release", "sub"});
    ASSERT_OK(write_file_atomically(root() / "sub/InRelease", *key.sign_cleartext(release, now())));
    time_ = now();
  }

  fs::path root() const { return server_->files() / "debs"; }
  /// What a program prints that is run in the repository.
  std::string tool(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = {"sh", "-c", "cd \"$0\" && exec \"$@\"", root().string()};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    const auto output = run_checked(command);
    EXPECT_TRUE(output) << output.error().message();
    return output ? output->out : "";
  }
  void make_deb(const std::string& name, const std::string& architecture, const std::string& extra) {
    const fs::path tree = path(name);
    ASSERT_OK(sealift::create_directories(tree / "DEBIAN"));
    ASSERT_OK(write_file_atomically(tree / "DEBIAN/control",
                                    fmt::format("Package: {}\nVersion: 1.0\nArchitecture: {}\nMaintainer: T "
                                                "<t@example.com>\n{}Description: for a test\n",
                                                name, architecture, extra)));
    tool({"dpkg-deb", "--build", "--root-owner-group", tree.string(), fmt::format("sub/{}_1.0.deb", name)});
  }
  Status read_spec() {
    const std::string text = fmt::format(
        "apiVersion: sealift/v1\nkind: Bundle\nmetadata: {{name: flat, version: \"1\"}}\npackages:\n"
        "  - target: own\n    architectures: [{}]\n    install: [flat-app]\n    repositories:\n"
        "      - {{url: {}, suites: [sub/], keyring: {}}}\n",
        architecture_, at("debs"), path("upstream.gpg").string());
    TRY_ASSIGN(spec_, bundle::parse_spec(text, "bundle.yaml"));
    return {};
  }
  /// The served tree of a bundle, as files.
  Status unpack(const std::string& name, const fs::path& to) {
    TRY_ASSIGN(const auto opened, bundle::BundleFile::open(path(name)));
    for (const bundle::FileEntry& file : opened->contents().files) {
      TRY_ASSIGN(const std::string content, opened->read_file(file, 1U << 20));
      TRY(sealift::create_directories((to / file.path).parent_path()));
      TRY(write_file_atomically(to / file.path, content));
    }
    return {};
  }

  std::string architecture_;
};

TEST_F(FlatRepository, IsLockedBundledAndInstalledByApt) {
  ASSERT_OK(read_spec());
  const auto locked = lock();
  ASSERT_OK(locked);
  ASSERT_EQ(locked->package_sets.size(), 1U);
  const auto& packages = locked->package_sets[0].packages;
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0].name, "flat-app");
  const bundle::Origin& origin = locked->blobs.at(packages[0].digest).origin;
  EXPECT_EQ(origin.url, at("debs/sub/flat-app_1.0.deb"));
  EXPECT_THAT(origin.evidence,
              testing::ElementsAre(testing::StartsWith("openpgp " + at("debs/sub/InRelease"))));

  ASSERT_OK(create(*locked, "flat.tar", 2));
  ASSERT_OK(unpack("flat.tar", path("served")));
  const auto apt =
      AptClient::create("",
                        fmt::format("deb [signed-by={0}/keys/repository.gpg] file:{0}/apt/own stable main\n",
                                    path("served").string()),
                        architecture_);
  ASSERT_OK(apt);
  const auto update = apt->get({"update", "-o", "Acquire::AllowInsecureRepositories=false"});
  ASSERT_TRUE(update.ok()) << update.out << update.err;
  const auto simulated = apt->get({"--simulate", "install", "flat-app"});
  ASSERT_TRUE(simulated.ok()) << simulated.out << simulated.err;
  EXPECT_THAT(simulated_installs(simulated.out),
              testing::ElementsAre(std::pair("flat-app", "1.0"), std::pair("flat-data", "1.0")));
  const auto downloaded = apt->get({"download", "flat-app", "flat-data"});
  EXPECT_TRUE(downloaded.ok()) << downloaded.out << downloaded.err;
}

TEST_F(FlatRepository, ItMayBeSignedWhileTheLockIsMade) {
  ASSERT_OK(read_spec());
  time_ = now() - std::chrono::minutes(5);
  const auto locked = lock();
  ASSERT_OK(locked);
  EXPECT_EQ(locked->time, time_);
}

TEST_F(FlatRepository, AChangedIndexIsRefused) {
  ASSERT_OK(read_spec());
  std::string packages = tool({"apt-ftparchive", "packages", "sub"});
  packages.replace(packages.find("for a test"), 10, "for a fake");
  ASSERT_OK(write_file_atomically(root() / "sub/Packages", packages));
  EXPECT_FAILS(lock(), ErrorCode::integrity, "the signed Release says");
}

}  // namespace
}  // namespace sealift::test
