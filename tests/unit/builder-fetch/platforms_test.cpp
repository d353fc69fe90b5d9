#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/resolve/image_resolver.hpp"

namespace sealift::builder {
namespace {

oci::Descriptor entry(const std::string& platform) {
  oci::Descriptor descriptor{std::string(oci::kOciManifest), digest_of(platform), 1};
  if (!platform.empty()) descriptor.platform = *oci::Platform::parse(platform);
  return descriptor;
}

std::vector<std::string> chosen(const oci::Index& index, const std::vector<std::string>& platforms) {
  const auto wanted = WantedPlatforms::parse(platforms);
  EXPECT_TRUE(wanted);
  const auto result = choose_manifests(index, *wanted, "x:1");
  if (!result) return {"error: " + result.error().message()};
  std::vector<std::string> names;
  for (const auto& descriptor : *result)
    names.push_back(descriptor.platform ? descriptor.platform->str() : "none");
  return names;
}

using testing::ElementsAre;

TEST(ChooseManifests, KeepsTheOrderOfTheIndex) {
  oci::Index index;
  for (const char* platform : {"linux/s390x", "linux/arm64/v8", "linux/amd64", "windows/amd64"})
    index.manifests.push_back(entry(platform));
  EXPECT_THAT(chosen(index, {"linux/amd64", "linux/arm64"}), ElementsAre("linux/arm64", "linux/amd64"));
  EXPECT_EQ(chosen(index, {"all"}).size(), 4U);
  EXPECT_EQ(chosen(index, {"all", "linux/riscv64"}).size(), 4U);
}

TEST(ChooseManifests, AVariantOfAmd64IsNotPlainAmd64) {
  oci::Index index;
  index.manifests = {entry("linux/amd64/v3"), entry("linux/amd64")};
  EXPECT_THAT(chosen(index, {"linux/amd64"}), ElementsAre("linux/amd64"));
}

TEST(ChooseManifests, AnIndexWithoutPlatformsIsTakenWhole) {
  oci::Index index;
  index.manifests = {entry(""), entry("")};
  EXPECT_EQ(chosen(index, {"linux/amd64"}).size(), 2U);
}

TEST(ChooseManifests, ListsWhatThereIs) {
  oci::Index index;
  index.manifests = {entry("linux/arm64"), entry("linux/amd64")};
  EXPECT_THAT(chosen(index, {"linux/s390x"}),
              ElementsAre(testing::HasSubstr("it has linux/amd64, linux/arm64")));
}

}  // namespace
}  // namespace sealift::builder
