#include "lib/oci/layout.hpp"

#include <gtest/gtest.h>

#include "lib/oci/manifest.hpp"

namespace sealift::oci {
namespace {

TEST(WriteLayoutIndex, NamesImagesTwiceAndArtifactsNot) {
  const Digest digest = digest_of("x");
  const std::string text =
      write_layout_index({{"registry.k8s.io/pause:3.10", std::string(kOciIndex), digest, 5},
                          {"", std::string(kOciManifest), digest, 5}});
  const auto document = parse_document(text, "", "index.json");
  ASSERT_TRUE(document) << document.error().message();
  const auto& manifests = std::get<Index>(*document).manifests;
  ASSERT_EQ(manifests.size(), 2U);
  EXPECT_EQ(manifests[0].annotations.at("org.opencontainers.image.ref.name"), "registry.k8s.io/pause:3.10");
  EXPECT_EQ(manifests[0].annotations.at("io.containerd.image.name"), "registry.k8s.io/pause:3.10");
  EXPECT_TRUE(manifests[1].annotations.empty());
}

}  // namespace
}  // namespace sealift::oci
