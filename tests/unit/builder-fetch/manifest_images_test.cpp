#include "builder/resolve/manifest_images.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(FindImages, FindsContainersInEveryDocument) {
  const auto images = find_images(R"(# a comment
---
kind: Namespace
---
kind: DaemonSet
spec:
  template:
    spec:
      initContainers:
      - name: a
        image: ghcr.io/flannel-io/flannel-cni-plugin:v1.6.2-flannel1
      containers:
      - name: b
        image: "ghcr.io/flannel-io/flannel:v0.26.4"
--- # the last
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: busybox}]}}}}}
)",
                                  "m.yaml");
  ASSERT_TRUE(images) << images.error().message();
  EXPECT_THAT(images->named, ElementsAre("docker.io/library/busybox:latest",
                                         "ghcr.io/flannel-io/flannel-cni-plugin:v1.6.2-flannel1",
                                         "ghcr.io/flannel-io/flannel:v0.26.4"));
  EXPECT_THAT(images->mentioned, IsEmpty());
}

TEST(FindImages, FindsFullNamesInArgumentsAndEnvironment) {
  const auto images = find_images(R"(
kind: Deployment
spec:
  containers:
  - name: operator
    image: quay.io/o/p:1
    args: ["--config-reloader=quay.io/x/reloader:v2", "--listen=10.0.0.1:8080/x", "--url=https://a.b/c:1", "sidecar=ghcr.io/s/t:3"]
    command: [/bin/sh, -c, registry.k8s.io/pause:3.10]
    env:
    - {name: RELATED_IMAGE, value: "quay.io/e/f:4"}
    - {name: HOST, value: "a.b/c"}
)",
                                  "m.yaml");
  ASSERT_TRUE(images) << images.error().message();
  EXPECT_THAT(images->mentioned, ElementsAre("ghcr.io/s/t:3", "quay.io/e/f:4", "quay.io/x/reloader:v2",
                                             "registry.k8s.io/pause:3.10"));
}

TEST(FindImages, KnowsCustomResourcesAndImageVolumes) {
  const auto images = find_images(R"(
kind: Prometheus
spec:
  image: quay.io/prometheus/prometheus:v3
  volumes: [{name: v, image: {reference: "quay.io/v/v:1"}}]
  logo: {image: "not an image name at all"}
  schema: {properties: {image: {type: string}}}
)",
                                  "m.yaml");
  ASSERT_TRUE(images) << images.error().message();
  EXPECT_THAT(images->named, ElementsAre("quay.io/prometheus/prometheus:v3", "quay.io/v/v:1"));
  EXPECT_THAT(images->unreadable, ElementsAre("not an image name at all"));
}

TEST(FindImages, AContainerWithoutAnImageNameIsAnError) {
  const auto images = find_images("spec: {containers: [{image: '{{ .Values.image }}'}]}", "m.yaml");
  ASSERT_FALSE(images);
  EXPECT_THAT(images.error().message(), HasSubstr("m.yaml"));
  EXPECT_THAT(images.error().message(), HasSubstr("{{ .Values.image }}"));
}

TEST(FindImages, ErrorsCountTheLinesOfTheWholeFile) {
  const auto images = find_images("a: 1\n---\nb: 2\n---\nc: [\n", "m.yaml");
  ASSERT_FALSE(images);
  EXPECT_THAT(images.error().message(), testing::ContainsRegex("m.yaml:[56]:"));
}

TEST(FindImages, EmptyDocumentsAreFine) {
  for (const char* text : {"", "\n", "---\n---\n", "# only a comment\n", "---"}) {
    const auto images = find_images(text, "m.yaml");
    ASSERT_TRUE(images) << text << images.error().message();
    EXPECT_THAT(images->named, IsEmpty());
  }
}

}  // namespace
}  // namespace sealift::builder
