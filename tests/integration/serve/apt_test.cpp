/// apt with an installation of its own (no root file system needed): update, download, and what it must
/// refuse.
#include "lib/crypto/openpgp.hpp"
#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;

class AptTest : public ServedBundleTest {
 protected:
  void SetUp() override {
    make_package("hello-sealift", "1:1.0+x~1");
    const std::string packages = run_client(
        {"apt-ftparchive", "-o", "APT::FTPArchive::AlwaysStat=true", "packages", "pool"}, {}, path("repo"));
    const std::string release = fmt::format(
        "Origin: Sealift\nSuite: stable\nCodename: stable\nArchitectures: amd64\nComponents: main\nDate: "
        "{}\nSHA256:\n {} {} main/binary-amd64/Packages\n",
        format_rfc5322(now()), digest_of(packages).hex(), packages.size());
    auto signer = openpgp::SecretKey::generate(openpgp::KeyAlgorithm::ed25519, "Test repository", now());
    ASSERT_TRUE(signer) << signer.error().message();
    auto other = openpgp::SecretKey::generate(openpgp::KeyAlgorithm::ed25519, "Somebody else", now());
    ASSERT_TRUE(write_file_atomically(path("other.asc"), other->armoured_public_key()));
    test::BundleRecipe recipe;
    recipe.generated("apt/debian-12/dists/stable/InRelease", *signer->sign_cleartext(release, now()));
    recipe.generated("apt/debian-12/dists/stable/main/binary-amd64/Packages", packages);
    recipe.generated("apt/debian-12/pool/hello-sealift.deb",
                     *read_file(path("repo/pool/hello-sealift.deb"), 1U << 20),
                     "application/vnd.debian.binary-package");
    recipe.generated("keys/repository.asc", signer->armoured_public_key());
    serve(recipe);
    ASSERT_TRUE(write_file_atomically(
        path("signer.asc"),
        run_client({"curl", "-sS", fmt::format("http://{}/keys/repository.asc", repository())})));
  }
  std::string run_client(std::vector<std::string> arguments,
                         std::map<std::string, std::string> environment = {},
                         const std::string& folder = "") {
    if (!folder.empty()) {
      // `env -C` changes the folder for the one program only.
      std::vector<std::string> in_folder = {"env", "-C", folder};
      in_folder.insert(in_folder.end(), arguments.begin(), arguments.end());
      arguments = in_folder;
    }
    return ServedBundleTest::run_client(arguments, std::move(environment));
  }
  void make_package(const std::string& name, const std::string& version) {
    const std::string control = fmt::format(
        "Package: {}\nVersion: {}\nArchitecture: amd64\nMaintainer: x <x@example.com>\nDescription: test\n",
        name, version);
    ASSERT_TRUE(create_directories(path("package/DEBIAN")));
    ASSERT_TRUE(create_directories(path("repo/pool")));
    ASSERT_TRUE(write_file_atomically(path("package/DEBIAN/control"), control));
    run_client({"dpkg-deb", "--root-owner-group", "-b", path("package"), path("repo/pool/" + name + ".deb")});
  }
  /// An apt that knows nothing but one source.
  std::vector<std::string> apt(const std::string& name, const std::string& signed_by,
                               const std::string& scheme) {
    const std::string root = path(name);
    for (const char* folder :
         {"/lists/partial", "/cache/archives/partial", "/etc/sources.list.d", "/etc/empty"})
      EXPECT_TRUE(create_directories(root + folder));
    std::string sources =
        run_client({"curl", "-sS", fmt::format("http://{}/client/sealift.sources", repository())});
    if (scheme == "http") sources.replace(sources.find("https:"), 6, "http:");
    const std::string installed = "/etc/apt/keyrings/sealift.asc";
    sources.replace(sources.find(installed), installed.size(), signed_by);
    EXPECT_TRUE(write_file_atomically(root + "/etc/sources.list.d/sealift.sources", sources));
    EXPECT_TRUE(write_file_atomically(root + "/status", ""));
    std::vector<std::string> arguments = {"apt-get"};
    for (const std::string& option : std::vector<std::string>{
             "Dir::Etc=" + root + "/etc", "Dir::State::Lists=" + root + "/lists",
             "Dir::State::status=" + root + "/status", "Dir::Cache=" + root + "/cache",
             "Dir::Etc::SourceList=/dev/null", "Dir::Etc::SourceParts=" + root + "/etc/sources.list.d",
             "Dir::Etc::Trusted=/dev/null", "Dir::Etc::TrustedParts=" + root + "/etc/empty",
             std::string("APT::Architecture=amd64"), std::string("APT::Sandbox::User=root"),
             std::string("APT::Get::List-Cleanup=0"), "Acquire::https::CAInfo=" + path("ca.crt"),
             std::string("Acquire::Languages=none"), std::string("Acquire::http::Proxy=DIRECT"),
             std::string("Acquire::https::Proxy=DIRECT"), std::string("Dir::Etc::Parts=/dev/null"),
             std::string("Dir::Etc::Main=/dev/null")}) {
      arguments.insert(arguments.end(), {"-o", option});
    }
    return arguments;
  }
};

TEST_F(AptTest, UpdatesAndDownloadsFromTheBundle) {
  for (const std::string scheme : {"http", "https"}) {
    const auto apt_get = apt("apt-" + scheme, path("signer.asc"), scheme);
    auto update = apt_get;
    update.emplace_back("update");
    run_client(update);
    auto download = apt_get;
    download.insert(download.end(), {"download", "hello-sealift"});
    ASSERT_TRUE(create_directories(path("downloaded-" + scheme)));
    run_client(download, {}, path("downloaded-" + scheme));
    EXPECT_EQ(*read_file(path("downloaded-" + scheme + "/hello-sealift_1%3a1.0+x~1_amd64.deb"), 1U << 20),
              *read_file(path("repo/pool/hello-sealift.deb"), 1U << 20));
  }
}

TEST_F(AptTest, RefusesAnotherKey) {
  auto update = apt("apt-other", path("other.asc"), "http");
  update.emplace_back("update");
  const auto output = run({update});
  ASSERT_TRUE(output);
  EXPECT_THAT(output->out + output->err, HasSubstr("NO_PUBKEY"));
  EXPECT_NE(output->exit_code, 0);
}

}  // namespace
}  // namespace sealift::repo_server
