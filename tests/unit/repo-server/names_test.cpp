#include "repo-server/registry/names.hpp"

#include <gtest/gtest.h>

namespace sealift::repo_server {
namespace {

TEST(SplitImageName, KeepsPortsOutOfTags) {
  EXPECT_EQ(split_image_name("registry.k8s.io/pause:3.10").repository, "registry.k8s.io/pause");
  EXPECT_EQ(split_image_name("registry.k8s.io/pause:3.10").tag, "3.10");
  EXPECT_EQ(split_image_name("localhost:5000/a/b").repository, "localhost:5000/a/b");
  EXPECT_EQ(split_image_name("localhost:5000/a/b").tag, "");
  EXPECT_EQ(split_image_name("x.io/a:1@sha256:00").tag, "1");
  EXPECT_EQ(split_image_name("x.io/a@sha256:00").repository, "x.io/a");
}

TEST(IsRepositoryName, AcceptsNamesWithHosts) {
  for (const char* name :
       {"pause", "a/b/c", "registry.k8s.io/coredns/coredns", "localhost:5000/x", "a__b/c-d.e"}) {
    EXPECT_TRUE(is_repository_name(name)) << name;
  }
}

TEST(IsRepositoryName, RefusesOthers) {
  for (const char* name : {"", "/a", "a/", "a//b", "A", "a/b:c", "a b", "-a", "a-", "..", "a/../b"})
    EXPECT_FALSE(is_repository_name(name)) << name;
  EXPECT_FALSE(is_repository_name(std::string(256, 'a')));
}

TEST(IsTag, FollowsTheSpecification) {
  EXPECT_TRUE(is_tag("v1.2_3-X"));
  EXPECT_TRUE(is_tag("_x"));
  EXPECT_FALSE(is_tag(".x"));
  EXPECT_FALSE(is_tag("a/b"));
  EXPECT_FALSE(is_tag(""));
  EXPECT_FALSE(is_tag(std::string(129, 'a')));
}

TEST(JoinUpstream, NormalisesDockerHub) {
  EXPECT_EQ(join_upstream("docker.io", "nginx"), "docker.io/library/nginx");
  EXPECT_EQ(join_upstream("registry-1.docker.io", "library/nginx"), "docker.io/library/nginx");
  EXPECT_EQ(join_upstream("index.docker.io", "flannel/flannel"), "docker.io/flannel/flannel");
  EXPECT_EQ(join_upstream("registry.k8s.io", "pause"), "registry.k8s.io/pause");
  EXPECT_EQ(normalise_full_name("docker.io/nginx"), "docker.io/library/nginx");
  EXPECT_EQ(normalise_full_name("library/nginx"), "library/nginx");
}

TEST(ParseRegistryPath, ReadsFromTheRight) {
  const auto request = parse_registry_path("/v2/a/manifests/b/manifests/latest");
  EXPECT_EQ(request.kind, RegistryRequestKind::manifest);
  EXPECT_EQ(request.name, "a/manifests/b");
  EXPECT_EQ(request.reference, "latest");
  EXPECT_EQ(parse_registry_path("/v2/").kind, RegistryRequestKind::base);
  EXPECT_EQ(parse_registry_path("/v2/a/b/tags/list").name, "a/b");
  EXPECT_EQ(parse_registry_path("/v2/a/referrers/sha256:1").kind, RegistryRequestKind::referrers);
  EXPECT_EQ(parse_registry_path("/v2/_catalog").kind, RegistryRequestKind::catalog);
  for (const char* path : {"/", "/v1/", "/v2/a", "/v2/manifests/x", "/v2//", "/v2/a/blobs"}) {
    EXPECT_EQ(parse_registry_path(path).kind, RegistryRequestKind::other) << path;
  }
}

}  // namespace
}  // namespace sealift::repo_server
