#include "repo-server/registry/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/json.hpp"
#include "tests/unit/repo-server/mounted_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";

class RegistryTest : public MountedBundleTest {
 protected:
  void SetUp() override {
    recipe.image("registry.k8s.io/pause:3.10", {"layer of pause"});
    recipe.image("registry.k8s.io/coredns/coredns:v1.11.3", {"layer of coredns"});
    recipe.image("docker.io/library/web:2", {"web two"});
    recipe.image("docker.io/library/web:10", {"web ten"});
    recipe.image("docker.io/library/web:1", {"web one"});
    recipe.image("quay.io/x/tool:1", {"tool of quay"});
    recipe.image("ghcr.io/x/tool:1", {"tool of ghcr"});
    mount({&recipe});
    registry = std::make_unique<Registry>(overlay, loader);
  }

  http::Response ask_for(const std::string& path, const std::string& query = "") {
    return ask(*registry, get(path, query));
  }
  Digest manifest_of(const std::string& name) {
    return overlay.bundles().back()->contents().find_image(name)->digest;
  }

  test::BundleRecipe recipe;
  std::unique_ptr<Registry> registry;
};

TEST_F(RegistryTest, AnswersTheVersionCheck) {
  const auto response = ask_for("/v2/");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers, HasSubstr("Docker-Distribution-Api-Version: registry/2.0"));
}

TEST_F(RegistryTest, FindsAnImageByNsByPathAndByUniqueEnd) {
  const std::string expected = recipe.content(manifest_of("registry.k8s.io/pause:3.10"));
  EXPECT_EQ(body_of(ask_for("/v2/pause/manifests/3.10", "ns=registry.k8s.io")), expected);
  EXPECT_EQ(body_of(ask_for("/v2/registry.k8s.io/pause/manifests/3.10")), expected);
  EXPECT_EQ(body_of(ask_for("/v2/registry.k8s.io/pause/manifests/3.10", "ns=10.0.0.1:5000")), expected);
  EXPECT_EQ(body_of(ask_for("/v2/pause/manifests/3.10")), expected);
  EXPECT_EQ(ask_for("/v2/coredns/manifests/v1.11.3").status, 200);
  EXPECT_EQ(ask_for("/v2/coredns/coredns/manifests/v1.11.3").status, 200);
}

TEST_F(RegistryTest, NeverAnswersForAnotherUpstream) {
  const auto response = ask_for("/v2/pause/manifests/3.10", "ns=evil.example");
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("NAME_UNKNOWN"));
}

TEST_F(RegistryTest, SaysWhichNamesFitAnAmbiguousOne) {
  const auto response = ask_for("/v2/x/tool/manifests/1");
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("ghcr.io/x/tool, quay.io/x/tool"));
}

TEST_F(RegistryTest, NormalisesDockerHubNames) {
  const std::string expected = recipe.content(manifest_of("docker.io/library/web:1"));
  EXPECT_EQ(body_of(ask_for("/v2/library/web/manifests/1", "ns=docker.io")), expected);
  EXPECT_EQ(body_of(ask_for("/v2/web/manifests/1", "ns=docker.io")), expected);
  EXPECT_EQ(body_of(ask_for("/v2/docker.io/web/manifests/1")), expected);
  EXPECT_EQ(body_of(ask_for("/v2/library/web/manifests/1")), expected);
}

TEST_F(RegistryTest, ServesManifestsByDigestWithTheirHeaders) {
  const Digest digest = manifest_of("registry.k8s.io/pause:3.10");
  const auto response = ask_for("/v2/registry.k8s.io/pause/manifests/" + digest.str());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, kManifestType);
  EXPECT_THAT(response.headers, HasSubstr("Docker-Content-Digest: " + digest.str() + "\r\n"));
  EXPECT_EQ(response.etag, "\"" + digest.str() + "\"");
}

TEST_F(RegistryTest, DoesNotServeLayersAsManifests) {
  const Digest layer = digest_of("layer of pause");
  EXPECT_EQ(ask_for("/v2/registry.k8s.io/pause/manifests/" + layer.str()).status, 404);
  const auto blob = ask_for("/v2/registry.k8s.io/pause/blobs/" + layer.str());
  EXPECT_EQ(blob.status, 200);
  EXPECT_EQ(body_of(blob), "layer of pause");
  EXPECT_TRUE(blob.accepts_ranges);
}

TEST_F(RegistryTest, ChecksABlobBeforeTheFirstGetAndNotForHead) {
  const Digest layer = digest_of("layer of pause");
  auto request = get("/v2/registry.k8s.io/pause/blobs/" + layer.str());
  EXPECT_TRUE(registry->handle(request).prepare);
  request.method = http::Method::head;
  EXPECT_FALSE(registry->handle(request).prepare);
  request.method = http::Method::get;
  ask(*registry, request);
  EXPECT_FALSE(registry->handle(request).prepare);
}

TEST_F(RegistryTest, MapsErrorsToTheSpecification) {
  const auto expect = [&](const std::string& path, int status, const std::string& code) {
    const auto response = ask_for(path);
    EXPECT_EQ(response.status, status) << path;
    EXPECT_THAT(response.body, HasSubstr("\"" + code + "\"")) << path;
  };
  const std::string unknown(64, '0');
  expect("/v2/registry.k8s.io/pause/manifests/4", 404, "MANIFEST_UNKNOWN");
  expect("/v2/registry.k8s.io/pause/manifests/sha256:" + unknown, 404, "MANIFEST_UNKNOWN");
  expect("/v2/registry.k8s.io/pause/manifests/sha256:12", 400, "DIGEST_INVALID");
  expect("/v2/registry.k8s.io/pause/blobs/sha256:" + unknown, 404, "BLOB_UNKNOWN");
  expect("/v2/registry.k8s.io/pause/blobs/sha256:" + std::string(64, 'G'), 400, "DIGEST_INVALID");
  expect("/v2/registry.k8s.io/pause/blobs/nonsense", 400, "DIGEST_INVALID");
  expect("/v2/registry.k8s.io/pause/blobs/sha512:" + unknown + unknown, 404, "BLOB_UNKNOWN");
  expect("/v2/registry.k8s.io/pause/manifests/sha512:" + unknown + unknown, 404, "MANIFEST_UNKNOWN");
  expect("/v2/absent/manifests/1", 404, "NAME_UNKNOWN");
  expect("/v2/UPPER/manifests/1", 400, "NAME_INVALID");
}

TEST_F(RegistryTest, ErrorsAreJsonWhateverWasAskedFor) {
  for (const char* path : {"/v2/\xFF/manifests/x", "/v2/pause/manifests/\xFF", "/v2/pause/blobs/\xC3",
                           "/v2/pause/referrers/sha256:\xFF", "/v2/pause/manifests/sha256:\xFF"}) {
    const auto response = ask_for(path);
    EXPECT_GE(response.status, 400);
    EXPECT_TRUE(json::parse(response.body, path)) << response.body;
  }
}

TEST_F(RegistryTest, RefusesToBeWrittenTo) {
  auto request = get("/v2/registry.k8s.io/pause/blobs/uploads/");
  request.method = http::Method::other;
  request.method_name = "POST";
  const auto response = registry->handle(request);
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.body, HasSubstr("UNSUPPORTED"));
  EXPECT_THAT(response.headers, HasSubstr("Allow: GET, HEAD"));
}

TEST_F(RegistryTest, ListsTagsInLexicalOrderAndInPages) {
  EXPECT_THAT(ask_for("/v2/docker.io/library/web/tags/list").body, HasSubstr(R"("tags":["1","10","2"])"));
  const auto first = ask_for("/v2/docker.io/library/web/tags/list", "n=2");
  EXPECT_THAT(first.body, HasSubstr(R"("tags":["1","10"])"));
  EXPECT_THAT(first.headers,
              HasSubstr("Link: </v2/docker.io/library/web/tags/list?n=2&last=10>; rel=\"next\""));
  const auto second = ask_for("/v2/docker.io/library/web/tags/list", "n=2&last=10");
  EXPECT_THAT(second.body, HasSubstr(R"("tags":["2"])"));
  EXPECT_THAT(second.headers, Not(HasSubstr("Link:")));
  const auto none = ask_for("/v2/docker.io/library/web/tags/list", "n=0");
  EXPECT_THAT(none.body, HasSubstr(R"("tags":[])"));
  EXPECT_THAT(none.headers, Not(HasSubstr("Link:")));
  EXPECT_EQ(ask_for("/v2/docker.io/library/web/tags/list", "n=x").status, 400);
  EXPECT_EQ(ask_for("/v2/docker.io/library/web/tags/list", "n=-1").status, 400);
}

TEST_F(RegistryTest, ListsRepositories) {
  EXPECT_THAT(ask_for("/v2/_catalog", "n=2").body,
              HasSubstr(R"({"repositories":["docker.io/library/web","ghcr.io/x/tool"]})"));
}

class ReferrersTest : public MountedBundleTest {
 protected:
  void SetUp() override {
    recipe.image("x.io/app:1", {"app"});
    auto plan = recipe.plan();
    subject = plan->contents.find_image("x.io/app:1")->digest.str();
    const auto referrer = [&](const std::string& rest) {
      return fmt::format(
          R"({{"schemaVersion":2,"mediaType":"{}",{},"layers":[],"subject":{{"mediaType":"{}","digest":"{}","size":1}}}})",
          kManifestType, rest, kManifestType, subject);
    };
    const std::string config =
        R"("config":{"mediaType":"application/vnd.example.config","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2})";
    recipe.image_blobs(
        "x.io/app:sbom", kManifestType,
        {{kManifestType,
          referrer(R"("artifactType":"application/spdx+json","annotations":{"note":"kept"},)" + config)},
         {"application/vnd.oci.empty.v1+json", "{}"}});
    recipe.image_blobs("x.io/app:signature", kManifestType, {{kManifestType, referrer(config)}});
    mount({&recipe});
    registry = std::make_unique<Registry>(overlay, loader);
  }
  test::BundleRecipe recipe;
  std::string subject;
  std::unique_ptr<Registry> registry;
};

TEST_F(ReferrersTest, ListsThemWithTypeAndAnnotations) {
  const auto response = ask(*registry, get("/v2/x.io/app/referrers/" + subject));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/vnd.oci.image.index.v1+json");
  EXPECT_THAT(response.body,
              HasSubstr(R"("artifactType":"application/spdx+json","annotations":{"note":"kept"})"));
  EXPECT_THAT(response.body, HasSubstr(R"("artifactType":"application/vnd.example.config")"));
  EXPECT_THAT(response.headers, Not(HasSubstr("OCI-Filters-Applied")));
}

TEST_F(ReferrersTest, FiltersOnlyWhenAsked) {
  const auto response =
      ask(*registry, get("/v2/x.io/app/referrers/" + subject, "artifactType=application/vnd.example.config"));
  EXPECT_THAT(response.headers, HasSubstr("OCI-Filters-Applied: artifactType"));
  EXPECT_THAT(response.body, Not(HasSubstr("spdx")));
  EXPECT_THAT(response.body, HasSubstr("vnd.example.config"));
}

TEST_F(ReferrersTest, AnswersAnUnknownSubjectWithAnEmptyIndex) {
  const auto response = ask(*registry, get("/v2/x.io/app/referrers/sha256:" + std::string(64, '0')));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("manifests":[])"));
  EXPECT_EQ(ask(*registry, get("/v2/x.io/app/referrers/sha256:0")).status, 400);
}

}  // namespace
}  // namespace sealift::repo_server
