#include "lib/bundle/spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/files.hpp"

namespace sealift::bundle {
namespace {

constexpr const char* kHead = "apiVersion: sealift/v1\nkind: Bundle\nmetadata: {name: x, version: \"1\"}\n";

std::string error_of(const std::string& rest) {
  const auto spec = parse_spec(kHead + rest, "bundle.yaml");
  if (spec) return "no error";
  EXPECT_EQ(spec.error().code(), ErrorCode::invalid_argument);
  return spec.error().message();
}

TEST(ReadSpec, ReadsEverythingAPersonWrites) {
  const auto spec = parse_spec(std::string(kHead) + R"(
platforms: [linux/amd64, linux/arm64]
kubernetes: {version: 1.32.3, dns: false}
components: {containerd: 2.0.4, runc: 1.2.6}
manifests:
  - {name: flannel, url: https://example.com/kube-flannel.yml}
images:
  - docker.io/library/nginx:1.27-alpine
  - {name: quay.io/example/app:1, platforms: all}
files:
  - {url: https://get.helm.sh/helm.tar.gz, checksums: https://get.helm.sh/helm.sha256, mode: "0755"}
packages:
  - target: debian-12
    baseline: debian-12-minimal
    repositories:
      - {url: http://deb.debian.org/debian/, suites: [bookworm], components: [main], keyring: /k.gpg}
    install: [keepalived]
compressFiles: false
mirrors:
  registry.k8s.io: registry.example.com/k8s
  https://dl.k8s.io/: https://files.example.com/k8s/
)",
                               "bundle.yaml");
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->kubernetes->version, "1.32.3");
  EXPECT_FALSE(spec->kubernetes->dns);
  EXPECT_EQ(spec->images[1].platforms, std::vector<std::string>{"all"});
  EXPECT_EQ(spec->files[0].mode, 0755U);
  EXPECT_EQ(spec->package_sets[0].repositories[0].url, "http://deb.debian.org/debian");
  EXPECT_EQ(spec->mirrors.size(), 2U);
  EXPECT_FALSE(spec->compress_files);
  EXPECT_TRUE(parse_spec(kHead, "bundle.yaml")->compress_files);
}

TEST(ReadSpec, SuggestsTheNearestKey) {
  EXPECT_THAT(error_of("imagse: [a]\n"),
              testing::HasSubstr("bundle.yaml:4:1: unknown key \"imagse\", did you mean \"images\"?"));
  EXPECT_THAT(error_of("compressfiles: false\n"), testing::HasSubstr("did you mean \"compressFiles\"?"));
  EXPECT_THAT(error_of("files: [{ulr: https://x/y}]\n"), testing::HasSubstr("did you mean \"url\"?"));
}

TEST(ReadSpec, GivesThePlaceOfWrongValues) {
  EXPECT_THAT(error_of("platforms: [linux/amd46]\n"),
              testing::HasSubstr("bundle.yaml:4:13: unknown platform"));
  EXPECT_THAT(error_of("kubernetes: {version: v1.32.3}\n"), testing::HasSubstr("without \"v\""));
  EXPECT_THAT(error_of("components: {containrd: 1.0}\n"), testing::HasSubstr("unknown component"));
  EXPECT_THAT(error_of("files: [{url: ftp://x/y}]\n"), testing::HasSubstr("https://"));
  EXPECT_THAT(error_of("files: [{url: https://x/y, path: ../../etc/passwd}]\n"),
              testing::HasSubstr("relative"));
  EXPECT_THAT(error_of("files: [{url: https://x/y, sha256: abc}]\n"), testing::HasSubstr("64 hex digits"));
  EXPECT_THAT(error_of("images:\n  - registry.k8s.io/pause:3.10\n   - b\n"),
              testing::HasSubstr("bundle.yaml:5:5: \"registry.k8s.io/pause:3.10 - b\" is not an image name"));
  EXPECT_THAT(error_of("images: [{name: UPPER/case}]\n"), testing::HasSubstr("bundle.yaml:4:17: "));
  EXPECT_THAT(error_of("images: {a: b}\n"), testing::HasSubstr("expected a list"));
  EXPECT_THAT(error_of("images: [a]\nimages: [b]\n"), testing::HasSubstr("given twice"));
  EXPECT_THAT(error_of("images: [a\n"), testing::HasSubstr("bundle.yaml:"));
  EXPECT_THAT(error_of("images: [&a b, *a]\n"), testing::HasSubstr("aliases"));
}

TEST(ReadSpec, RefusesAPathThatReadersWouldRefuse) {
  for (const std::string& path : std::vector<std::string>{"a b", "a\\\\b", "caf\u00e9", "a\\tb", "a//b", "/a",
                                                          std::string(1019, 'x')}) {
    EXPECT_THAT(error_of("files: [{url: https://x/y, path: \"" + path + "\"}]\n"),
                testing::HasSubstr("printable ASCII"))
        << path;
  }
  EXPECT_EQ(error_of("files: [{url: https://x/y, path: " + std::string(1018, 'x') + "}]\n"), "no error");
}

TEST(ReadSpec, OnlyFlatRepositoriesHaveNoComponents) {
  const auto with = [](const std::string& repository) {
    return error_of("packages: [{target: x, install: [a], repositories: [{url: http://h/x, keyring: k, " +
                    repository + "}]}]\n");
  };
  EXPECT_EQ(with("suites: [./]"), "no error");
  EXPECT_EQ(with("suites: [a/, b/], components: []"), "no error");
  EXPECT_EQ(with("suites: [stable], components: [main]"), "no error");
  EXPECT_THAT(with("suites: [stable]"), testing::HasSubstr("components must not be empty"));
  EXPECT_THAT(with("suites: [./], components: [main]"), testing::HasSubstr("leave them out"));
  EXPECT_THAT(with("suites: [./, stable], components: [main]"), testing::HasSubstr("two entries"));
  EXPECT_THAT(with("suites: [], components: [main]"), testing::HasSubstr("suites must not be empty"));
}

TEST(ReadSpec, ErrorsKeepLogins) {
  EXPECT_THAT(error_of("files: [{url: \"ftp://me:hunter2@x/y\"}]\n"),
              testing::Not(testing::HasSubstr("hunter2")));
}

TEST(ReadSpec, RefusesAnotherKind) {
  const auto spec =
      parse_spec("apiVersion: sealift/v1\nkind: Cluster\nmetadata: {name: x, version: \"1\"}\n", "c.yaml");
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().message(), testing::HasSubstr("c.yaml:2:7: expected kind: Bundle"));
}

TEST(ReadSpec, RefusesDeepNesting) { EXPECT_FALSE(parse_spec(std::string(2000, '['), "b.yaml")); }

TEST(ReadSpec, TheProfilesAreReadable) {
  const fs::path manifests = fs::path(SEALIFT_SOURCE_DIR) / "manifests";
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(manifests / "bundles")) {
    const auto text = read_file(entry.path(), 1 << 20);
    ASSERT_TRUE(text);
    const auto spec = parse_spec(*text, entry.path().filename());
    ASSERT_TRUE(spec) << spec.error().message();
    EXPECT_EQ(spec->name + ".yaml", entry.path().filename().string());
    ASSERT_TRUE(spec->kubernetes);
    EXPECT_TRUE(spec->version.starts_with(spec->kubernetes->version + "-")) << spec->version;
    for (const PackageSetSpec& set : spec->package_sets)
      EXPECT_TRUE(fs::exists(manifests / "baselines" / (set.baseline + ".list"))) << set.baseline;
    names.push_back(spec->name);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("k8s-1.20-debian-12", "k8s-1.32-ubuntu-24.04"));
}

TEST(Spec, TakesNoNameOfAManifestThatClusterYamlCouldNotSay) {
  for (const char* name : {"calico_3.29", "Flannel", "-x", "x-"}) {
    const auto spec = parse_spec(std::string("apiVersion: sealift/v1\nkind: Bundle\nmetadata: {name: t, "
                                             "version: \"1\"}\nmanifests:\n  - {name: ") +
                                     name + ", url: \"https://example.com/x.yaml\"}\n",
                                 "bundle.yaml");
    ASSERT_FALSE(spec) << name;
    EXPECT_THAT(spec.error().message(), testing::HasSubstr("bundle.yaml:5:12: expected lower-case letters"));
  }
}

}  // namespace
}  // namespace sealift::bundle
