#include "repo-server/repository/repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/json.hpp"
#include "repo-server/web/snippets.hpp"
#include "tests/unit/repo-server/mounted_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class RepositoryTest : public MountedBundleTest {
 protected:
  void SetUp() override {
    recipe.file("bin/linux/amd64/kubeadm", "kubeadm")
        .file("bin/linux/arm64/kubeadm", "other")
        .file("a<b>&\"c", "odd")
        .compressed("kubelet", kubelet);
    recipe.generated("apt/debian-12/dists/stable/InRelease", "Release of it\n")
        .generated("keys/repository.asc", "key\n");
    recipe.image("registry.k8s.io/pause:3.10", {"layer"});
    mount({&recipe});
    verification = std::make_unique<BackgroundVerification>(overlay.bundles(), std::nullopt, 0, log);
    catalog = std::make_unique<Catalog>(overlay);
    status = std::make_unique<ServerStatus>(overlay, *verification, statistics);
    repository = std::make_unique<FileRepository>(
        overlay, loader, *catalog, *status, RepositorySettings{"CA PEM\n", true, 5000, 12480, "192.0.2.1"});
  }
  http::Response ask_for(const std::string& path, const std::string& accept = "") {
    auto request = get(path);
    request.host = "10.0.0.1:12480";
    request.accept = accept;
    return ask(*repository, request);
  }

  const std::string kubelet = test::compressible_text(200'000, 1);
  test::BundleRecipe recipe;
  http::Statistics statistics;
  std::unique_ptr<BackgroundVerification> verification;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<ServerStatus> status;
  std::unique_ptr<FileRepository> repository;
};

TEST_F(RepositoryTest, ServesFilesWithTheirDigestAsEtag) {
  const auto response = ask_for("/files/bin/linux/amd64/kubeadm");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body_of(response), "kubeadm");
  EXPECT_EQ(response.etag, "\"" + digest_of("kubeadm").str() + "\"");
  EXPECT_TRUE(response.accepts_ranges);
  EXPECT_EQ(response.last_modified, overlay.bundles()[0]->contents().time);
}

TEST_F(RepositoryTest, ServesACompressedFileAsItselfOrAsItIsStored) {
  auto request = get("/files/kubelet");
  const auto plain = ask(*repository, request);
  ASSERT_TRUE(plain.expanded);
  EXPECT_EQ(plain.expanded->size, kubelet.size());
  EXPECT_EQ(plain.etag, "\"" + digest_of(kubelet).str() + "\"");
  EXPECT_THAT(plain.headers, HasSubstr("Vary: Accept-Encoding\r\n"));
  EXPECT_EQ(plain.content_encoding, "");
  request.accept_encoding = "gzip, zstd";
  const auto stored = ask(*repository, request);
  EXPECT_EQ(body_of(stored), test::zstd_frame(kubelet));
  EXPECT_EQ(stored.etag, "\"" + digest_of(body_of(stored)).str() + "\"");
  EXPECT_THAT(stored.headers, HasSubstr("Vary: Accept-Encoding\r\n"));
  EXPECT_EQ(stored.content_encoding, "zstd");
  request.accept_encoding = "zstd;q=0";
  EXPECT_TRUE(ask(*repository, request).expanded);
}

TEST_F(RepositoryTest, ChecksTheFormItIsAboutToServe) {
  const bundle::FileEntry& entry = *overlay.bundles()[0]->contents().find_file("files/kubelet");
  const bundle::VerifiedBundle& verified = overlay.bundles()[0]->verified();
  auto request = get("/files/kubelet");
  request.accept_encoding = "zstd";
  EXPECT_TRUE(repository->handle(request).prepare);
  ask(*repository, request);
  EXPECT_TRUE(verified.is_checked(*entry.stored));
  EXPECT_FALSE(verified.is_checked(entry));
  request.accept_encoding.clear();
  EXPECT_TRUE(repository->handle(request).prepare);
  ask(*repository, request);
  EXPECT_TRUE(verified.is_checked(entry));
  EXPECT_FALSE(repository->handle(request).prepare);
}

TEST_F(RepositoryTest, ListsFolders) {
  const auto page = ask_for("/files/");
  EXPECT_THAT(page.content_type, HasSubstr("text/html"));
  EXPECT_THAT(page.body, HasSubstr("<a href=\"./bin/\">bin/</a>"));
  EXPECT_THAT(page.body, HasSubstr("a&lt;b&gt;&amp;&quot;c"));
  EXPECT_THAT(page.body, Not(HasSubstr("a<b>")));
  EXPECT_THAT(ask_for("/files/bin/linux/", "application/json").body, HasSubstr("\"name\": \"arm64\""));
  EXPECT_EQ(ask_for("/files/bin").status, 301);
  EXPECT_THAT(ask_for("/files/bin").headers, HasSubstr("Location: /files/bin/\r\n"));
  EXPECT_EQ(ask_for("/files/nothing/").status, 404);
  EXPECT_EQ(ask_for("/files//").status, 404);
  EXPECT_EQ(ask_for("/fil").status, 404);
}

/// tests/e2e has containerd 1.6, 1.7 and 2 read this form.
TEST(ContainerdHosts, NameAMirrorWithAnIpv6Address) {
  SnippetContext context{
      .host = "[fd99::10]", .secure = true, .apt_targets = {}, .key_path = {}, .example_image = {}};
  const std::string text = containerd_hosts(context);
  EXPECT_THAT(text, HasSubstr("server = \"https://[fd99::10]:5000\"\n"));
  EXPECT_THAT(
      text,
      HasSubstr("[host]\n\"https://[fd99::10]:5000\" = {capabilities = [\"pull\", \"resolve\"], ca = "));
  EXPECT_THAT(text, Not(HasSubstr("[host.")));
}

TEST(Instructions, LetAPersonChooseAmongDistributions) {
  SnippetContext context{
      .host = "10.0.0.1", .apt_targets = {"debian-12"}, .key_path = {}, .example_image = {}};
  const std::string line =
      "curl -fsS http://10.0.0.1:12480/client/apt/{}.sources -o /etc/apt/sources.list.d/sealift.sources\n";
  EXPECT_THAT(instructions(context), HasSubstr("\n" + fmt::format(fmt::runtime(line), "debian-12")));
  context.apt_targets.emplace_back("ubuntu-24.04");
  const std::string text = instructions(context);
  for (const std::string& target : context.apt_targets) {
    EXPECT_THAT(text, HasSubstr("\n# on " + target + ":\n# " + fmt::format(fmt::runtime(line), target)));
  }
  EXPECT_THAT(text, Not(HasSubstr("\ncurl -fsS http://10.0.0.1:12480/client/apt/")));
  EXPECT_THAT(text, HasSubstr(".sources\napt-get update\n\n# containerd"));
}

TEST_F(RepositoryTest, GivesClientsTheirConfiguration) {
  EXPECT_THAT(ask_for("/client/hosts.toml").body, HasSubstr("[host.\"https://10.0.0.1:5000\"]"));
  const std::string sources = ask_for("/client/sealift.sources").body;
  EXPECT_THAT(sources,
              HasSubstr("URIs: https://10.0.0.1:12480/apt/debian-12\nSuites: stable\nComponents: main\n"));
  EXPECT_THAT(sources, HasSubstr("Signed-By: /etc/apt/keyrings/sealift.asc"));
  EXPECT_EQ(ask_for("/client/ca.crt").body, "CA PEM\n");
  EXPECT_THAT(ask_for("/client/registries.conf").body,
              HasSubstr("location = \"10.0.0.1:5000/registry.k8s.io\""));
  EXPECT_THAT(ask_for("/").body, HasSubstr("docker pull 10.0.0.1:5000/registry.k8s.io/pause:3.10"));
  EXPECT_EQ(ask_for("/client/nothing").status, 404);
}

TEST_F(RepositoryTest, NeverPutsAHostileHostIntoAPage) {
  auto request = get("/");
  request.host = "<script>alert(1)</script>";
  EXPECT_THAT(ask(*repository, request).body, Not(HasSubstr("script>alert")));
  EXPECT_EQ(safe_host("evil\r\nX: y", "f"), "f");
  EXPECT_EQ(safe_host("[fd00::1]:12480", "f"), "[fd00::1]");
  EXPECT_EQ(safe_host("[fd00::1", "f"), "f");
  EXPECT_EQ(safe_host("mirror.site:1", "f"), "mirror.site");
}

TEST_F(RepositoryTest, TellsItsState) {
  EXPECT_EQ(ask_for("/healthz").status, 200);
  const auto ready = ask_for("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, HasSubstr("\"verified\": false"));
  EXPECT_THAT(ask_for("/metrics").body, HasSubstr("sealift_bundle_verified{file=\"0.tar\"} 0\n"));
  ASSERT_TRUE(fs::exists(paths[0]));
  fs::resize_file(paths[0], fs::file_size(paths[0]) - 1);
  EXPECT_EQ(ask_for("/readyz").status, 503);
}

TEST_F(RepositoryTest, TellsItsStateOfAFileWhoseNameIsNotUtf8) {
  const fs::path odd = directory.path() / "\xFF.tar";
  fs::rename(paths[0], odd);
  const auto named = Overlay::mount({std::make_shared<const MountedBundle>(open_verified(odd, key), log)});
  ASSERT_TRUE(named) << named.error().message();
  const BackgroundVerification verifying(named->bundles(), std::nullopt, 0, log);
  const ServerStatus told(*named, verifying, statistics);
  EXPECT_TRUE(json::parse(told.readiness().body, "readyz")) << told.readiness().body;
  EXPECT_THAT(told.metrics().body, HasSubstr("sealift_bundle_verified{file=\"\xEF\xBF\xBD.tar\"} 0\n"));
}

TEST_F(RepositoryTest, RefusesToBeWrittenTo) {
  auto request = get("/files/x");
  request.method = http::Method::other;
  EXPECT_EQ(repository->handle(request).status, 405);
}

}  // namespace
}  // namespace sealift::repo_server
