#include "installer/render/runtime.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.hpp"
#include "installer/render/template.hpp"

namespace sealift::installer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReleaseVersion, ReadsUpstreamAndPackageVersions) {
  EXPECT_EQ(version("v1.32.3"), (ReleaseVersion{1, 32, 3}));
  EXPECT_EQ(version("1.6.20~ds1-1+b1"), (ReleaseVersion{1, 6, 20}));
  EXPECT_EQ(version("2.0"), (ReleaseVersion{2, 0, 0}));
  for (const char* bad : {"", "v", "1", "x.1.2", "1.x"}) EXPECT_FALSE(ReleaseVersion::parse(bad)) << bad;
}

TEST(KubeadmApi, FollowsTheMinorVersion) {
  EXPECT_EQ(kubeadm_api(version("1.20.2")).value(), KubeadmApi::v1beta2);
  EXPECT_EQ(kubeadm_api(version("1.21.14")).value(), KubeadmApi::v1beta2);
  EXPECT_EQ(kubeadm_api(version("1.22.0")).value(), KubeadmApi::v1beta3);
  EXPECT_EQ(kubeadm_api(version("1.30.9")).value(), KubeadmApi::v1beta3);
  EXPECT_EQ(kubeadm_api(version("1.31.0")).value(), KubeadmApi::v1beta4);
  EXPECT_EQ(kubeadm_api(version("1.40.0")).value(), KubeadmApi::v1beta4);
  EXPECT_EQ(kubeadm_api(version("1.18.0")).error().code(), ErrorCode::unsupported);
}

TEST(RenderContainerd, GoldenByVersion) {
  expect_golden("containerd-1.6.toml", render_containerd(version("1.6.20"), "k8s.gcr.io/pause:3.2"));
  expect_golden("containerd-2.0.toml", render_containerd(version("2.0.4"), "registry.k8s.io/pause:3.10"));
}

TEST(RenderContainerd, RefusesVersionsWithoutMirrorDirectories) {
  EXPECT_EQ(render_containerd(version("1.4.13"), "p").error().code(), ErrorCode::unsupported);
}

TEST(RenderContainerd, RefusesAnImageNameThatEndsTheString) {
  EXPECT_FALSE(render_containerd(version("1.6.20"), "pause\"\nroot = \"/tmp"));
}

TEST(RenderRegistryHosts, GoldenWithCa) {
  expect_golden("hosts.toml", render_registry_hosts({"https://192.168.2.5:5000"}, "/etc/sealift/ca.crt"));
  expect_golden(
      "hosts-two.toml",
      render_registry_hosts({"https://192.168.2.5:5000", "https://192.168.2.6:5000"}, "/etc/sealift/ca.crt"));
  expect_golden("hosts-v6.toml", render_registry_hosts({"https://[fd99::10]:5000"}, "/etc/sealift/ca.crt"));
}

TEST(RenderRegistryHosts, LeavesTheCaOutForHttp) {
  EXPECT_THAT(render_registry_hosts({"http://192.168.2.5:5000"}, "").value(), Not(HasSubstr("ca =")));
}

TEST(RenderKubelet, Golden) {
  expect_golden("kubelet.service", render_kubelet_unit("/usr/local/bin/kubelet"));
  expect_golden("10-kubeadm.conf", render_kubelet_dropin("/usr/local/bin/kubelet", {1, 32, 3}));
}

TEST(RenderKubelet, AsksNoCloudForCredentials) {
  EXPECT_THAT(render_kubelet_dropin("/usr/local/bin/kubelet", {1, 26, 15}).value(),
              HasSubstr("Environment=\"AWS_EC2_METADATA_DISABLED=true\"\n"));
}

TEST(FillTemplate, KnowsEveryTemplateAndNoOther) {
  EXPECT_GT(template_names().size(), 10U);
  for (const std::string& name : template_names()) EXPECT_TRUE(fill_template(name, {})) << name;
  EXPECT_EQ(fill_template("motd", {}).error().code(), ErrorCode::internal);
}

}  // namespace
}  // namespace sealift::installer
