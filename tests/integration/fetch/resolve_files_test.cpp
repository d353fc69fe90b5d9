#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/oci/platform.hpp"
#include "tests/integration/fetch/fixture.hpp"

namespace sealift::test {
namespace {

using testing::ElementsAre;

class ResolveFiles : public UpstreamTest {
 protected:
  void SetUp() override {
    UpstreamTest::SetUp();
    builder::FetcherOptions options = fast_options(1);
    for (const char* host : {"dl.k8s.io", "github.com", "get.helm.sh"}) {
      options.mirrors.push_back(
          {fmt::format("https://{}/", host), server_->url(fmt::format("file/{}", host))});
    }
    use(std::move(options));
  }

  void put(const std::string& path, const std::string& text) {
    ASSERT_OK(sealift::create_directories((server_->files() / path).parent_path()));
    ASSERT_OK(write_file_atomically(server_->files() / path, text));
  }
  std::string at(const std::string& path) const { return server_->url("file/" + path); }
  builder::ResolveContext context(std::vector<std::string> platforms = {"linux/amd64"}) {
    return {*fetcher_, log_, std::move(platforms), 3};
  }
};

TEST_F(ResolveFiles, TakesTheDigestFromTheChecksumFileAndTheSizeByHead) {
  put("a.tgz", "content of a");
  put("a.tgz.sha256", digest_of("content of a").hex() + "  a.tgz\n");
  const auto resolved = builder::resolve_files({{at("a.tgz"), {}, at("a.tgz.sha256"), "", 0644}}, context());
  ASSERT_OK(resolved);
  ASSERT_EQ(resolved->files.size(), 1U);
  EXPECT_EQ(resolved->files[0].path, "a.tgz");
  const auto& blob = resolved->blobs.at(digest_of("content of a"));
  EXPECT_EQ(blob.size, 12U);
  EXPECT_THAT(blob.origin.evidence, ElementsAre("sha256 " + at("a.tgz.sha256")));
  EXPECT_EQ(server_->requests("/file/a.tgz"), 1U);
}

TEST_F(ResolveFiles, ReadsTheFileWhenTheServerRefusesHead) {
  put("b", "content of b");
  const auto resolved = builder::resolve_files(
      {{server_->url("nohead/b"), digest_of("content of b"), "", "", 0755}}, context());
  ASSERT_OK(resolved);
  EXPECT_EQ(resolved->blobs.at(digest_of("content of b")).size, 12U);
  EXPECT_EQ(resolved->files[0].mode, 0755U);
  EXPECT_FAILS(
      builder::resolve_files({{server_->url("nohead/b"), digest_of("other"), "", "", 0755}}, context()),
      ErrorCode::integrity, "expected digest");
}

TEST_F(ResolveFiles, ASha512ListIsCheckedByReadingTheFileOnce) {
  put("c", "content of c");
  put("SHA512SUMS", digest_of(as_bytes("content of c"), DigestAlgorithm::sha512).hex() + " *c\n");
  const auto resolved = builder::resolve_files({{at("c"), {}, at("SHA512SUMS"), "tools/c", 0644}}, context());
  ASSERT_OK(resolved);
  EXPECT_EQ(resolved->files[0].digest, digest_of("content of c"));
  EXPECT_EQ(resolved->files[0].path, "tools/c");
  put("c", "changed since");
  EXPECT_FAILS(builder::resolve_files({{at("c"), {}, at("SHA512SUMS"), "", 0644}}, context()),
               ErrorCode::integrity, "expected digest sha512:");
}

TEST_F(ResolveFiles, WithoutAnyChecksumItIsPinnedAndSaidSo) {
  put("d", "content of d");
  const auto resolved = builder::resolve_files({{at("d"), {}, "", "", 0644}}, context());
  ASSERT_OK(resolved);
  EXPECT_THAT(resolved->blobs.at(digest_of("content of d")).origin.evidence,
              ElementsAre("none: pinned on first use"));
  EXPECT_TRUE(log_.has("no checksum is known"));
}

TEST_F(ResolveFiles, ALoginInAUrlDoesNotGetIntoTheLock) {
  const std::string url = "http://me:hunter2@" + server_->host() + "/ok/10";
  EXPECT_FAILS(builder::resolve_files({{url, {}, "", "x", 0644}}, context()), ErrorCode::invalid_argument,
               "***@");
  EXPECT_FAILS(builder::resolve_manifests({{"m", url, "", {}}}, ".", context()), ErrorCode::invalid_argument,
               "--mirrors");
}

TEST_F(ResolveFiles, ACredentialInAQueryDoesNotGetIntoTheLock) {
  put("q", "content of q");
  const auto resolve = [&](const std::string& query, const std::string& checksums) {
    return builder::resolve_files({{at("q") + query, digest_of("content of q"), checksums, "", 0644}},
                                  context());
  };
  EXPECT_FAILS(resolve("?private_token=hunter2", ""), ErrorCode::invalid_argument, "\"private_token\"");
  EXPECT_FAILS(resolve("", at("sums") + "?sig=hunter2"), ErrorCode::invalid_argument, "--mirrors");
  EXPECT_EQ(server_->requests("/file/q"), 0U);
  EXPECT_FALSE(log_.has("hunter2"));
  ASSERT_OK(resolve("?download=1", ""));
}

TEST_F(ResolveFiles, ANameThatNoBundleMayHaveIsRefusedBeforeAnythingIsFetched) {
  put("a b", "content");
  for (const char* name : {"a%20b", "caf%C3%A9", "a%5Cb", "%1b%5b31m", "x/"}) {
    EXPECT_FAILS(builder::resolve_files({{at(name), digest_of("content"), "", "", 0644}}, context()),
                 ErrorCode::invalid_argument, "give a `path:`");
  }
  EXPECT_EQ(server_->requests("/file/a%20b"), 0U);
  ASSERT_OK(builder::resolve_files({{at("a%20b"), digest_of("content"), "", "a-b", 0644}}, context()));
}

TEST_F(ResolveFiles, ASha512ListBesideAGivenDigestIsNoEvidence) {
  put("g", "content of g");
  put("g.sha512", std::string(128, 'a') + "  g\n");
  const auto resolved =
      builder::resolve_files({{at("g"), digest_of("content of g"), at("g.sha512"), "", 0644}}, context());
  ASSERT_OK(resolved);
  EXPECT_THAT(resolved->blobs.at(digest_of("content of g")).origin.evidence,
              ElementsAre("digest in bundle.yaml"));
}

TEST_F(ResolveFiles, TwoSourcesThatDisagreeAreAnError) {
  put("e", "content of e");
  put("e.sha256", digest_of("something else").hex());
  EXPECT_FAILS(
      builder::resolve_files({{at("e"), digest_of("content of e"), at("e.sha256"), "", 0644}}, context()),
      ErrorCode::integrity, "bundle.yaml says");
}

TEST_F(ResolveFiles, TheErrorNamesTheFileAndTheUpstream) {
  EXPECT_FAILS(builder::resolve_files({{at("absent"), digest_of("x"), "", "", 0644}}, context()),
               ErrorCode::not_found, "files/absent");
  put("f", "1");
  put("other/f", "2");
  EXPECT_FAILS(
      builder::resolve_files({{at("f"), {}, "", "", 0644}, {at("other/f"), {}, "", "", 0644}}, context()),
      ErrorCode::invalid_argument, "two different files");
}

TEST_F(ResolveFiles, KnowsWhereComponentsAreReleased) {
  const auto publish = [&](const std::string& path, const std::string& sums, const std::string& list) {
    put(path, "program " + path);
    put(sums, list.empty() ? digest_of("program " + path).hex() : list);
  };
  const std::string runc = "github.com/opencontainers/runc/releases/download/v1.2.6/";
  put(runc + "runc.arm64", "runc for arm");
  publish(runc + "runc.amd64", runc + "runc.sha256sum",
          digest_of("program " + runc + "runc.amd64").hex() + " *runc.amd64\n" +
              digest_of("runc for arm").hex() + " *runc.arm64\n");
  const std::string helm = "get.helm.sh/helm-v3.16.2-linux-";
  for (const char* arch : {"amd64", "arm64"})
    publish(helm + arch + ".tar.gz", helm + arch + ".tar.gz.sha256sum", "");
  const auto resolved = builder::resolve_components({{"runc", "1.2.6"}, {"helm", "3.16.2"}},
                                                    context({"linux/amd64", "linux/arm64"}));
  ASSERT_OK(resolved);
  std::vector<std::string> paths;
  for (const auto& file : resolved->files) paths.push_back(file.role + " " + file.platform + " " + file.path);
  EXPECT_THAT(paths, ElementsAre("helm linux/amd64 bin/linux/amd64/helm-v3.16.2-linux-amd64.tar.gz",
                                 "runc linux/amd64 bin/linux/amd64/runc.amd64",
                                 "helm linux/arm64 bin/linux/arm64/helm-v3.16.2-linux-arm64.tar.gz",
                                 "runc linux/arm64 bin/linux/arm64/runc.arm64"));
  EXPECT_EQ(resolved->files[1].mode, 0755U);
}

/// A program in the place of kubeadm that shows how it was called; the lab in tests/e2e runs the real one.
TEST_F(ResolveFiles, AsksTheVerifiedKubeadmForItsImagesInAnEmptyEnvironment) {
  const std::string own = oci::own_platform().str();
  const std::string base = "dl.k8s.io/release/v1.20.2/bin/" + own + "/";
  const std::string script =
      "#!/bin/sh\n[ \"$*\" = 'config images list --kubernetes-version v1.20.2' ] || exit 3\n[ -z "
      "\"$SEALIFT_TEST_SECRET\" ] || exit 4\n"
      "echo 'W1120 a warning' >&2\necho k8s.gcr.io/pause:3.2\necho k8s.gcr.io/coredns:1.7.0\necho "
      "k8s.gcr.io/etcd:3.4.13-0\n";
  ::setenv("SEALIFT_TEST_SECRET", "1", 1);
  for (const std::string name : {"kubeadm", "kubelet", "kubectl"}) {
    const std::string text = name == "kubeadm" ? script : "the program " + name;
    put(base + name, text);
    put(base + name + ".sha256", digest_of(text).hex());
  }
  const auto without_dns = builder::resolve_kubernetes({"1.20.2", false}, context({own}));
  ASSERT_OK(without_dns);
  EXPECT_EQ(without_dns->version, "v1.20.2");
  EXPECT_THAT(without_dns->images, ElementsAre("k8s.gcr.io/etcd:3.4.13-0", "k8s.gcr.io/pause:3.2"));
  ASSERT_EQ(without_dns->files.files.size(), 3U);
  EXPECT_EQ(without_dns->files.files[0].path, "bin/" + own + "/kubeadm");
  EXPECT_EQ(without_dns->files.files[0].role, "kubeadm");
  const auto with_dns = builder::resolve_kubernetes({"1.20.2", true}, context({own}));
  ASSERT_OK(with_dns);
  EXPECT_EQ(with_dns->images.size(), 3U);

  put(base + "kubeadm", script + "echo evil.example.com/x:1\n");
  EXPECT_FAILS(builder::resolve_kubernetes({"1.20.2", true}, context({own})), ErrorCode::integrity,
               "kubeadm");
}

TEST_F(ResolveFiles, FindsTheImagesOfManifests) {
  put("flannel.yml",
      "kind: DaemonSet\nspec: {template: {spec: {containers: [{image: 'quay.io/a/b:1', args: "
      "['--x=ghcr.io/c/d:2']}]}}}\n");
  const auto directory = TemporaryDirectory::create("sealift-manifests-");
  ASSERT_OK(directory);
  ASSERT_OK(write_file_atomically(directory->path() / "own.yaml",
                                  "kind: Pod\nspec: {containers: [{image: nginx}]}\n"));
  const auto resolved = builder::resolve_manifests(
      {{"flannel", at("flannel.yml"), "", {}}, {"own", "", "own.yaml", {}}}, directory->path(), context());
  ASSERT_OK(resolved);
  std::vector<std::string> names;
  for (const auto& image : resolved->images) names.push_back(image.name);
  EXPECT_THAT(names, ElementsAre("docker.io/library/nginx:latest", "ghcr.io/c/d:2", "quay.io/a/b:1"));
  ASSERT_EQ(resolved->files.files.size(), 2U);
  EXPECT_EQ(resolved->files.files[0].path, "manifests/flannel.yaml");
  EXPECT_EQ(resolved->files.files[0].role, "manifest");
  const auto& own = resolved->files.blobs.at(resolved->files.files[1].digest);
  EXPECT_EQ(own.origin.kind, bundle::OriginKind::inlined);
  EXPECT_TRUE(log_.has("found in its arguments"));
  EXPECT_FAILS(builder::resolve_manifests({{"flannel", at("flannel.yml"), "", digest_of("other")}},
                                          directory->path(), context()),
               ErrorCode::integrity, "bundle.yaml says");
}

}  // namespace
}  // namespace sealift::test
