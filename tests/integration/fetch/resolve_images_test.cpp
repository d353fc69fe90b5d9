#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/fetch/fixture.hpp"

namespace sealift::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class ResolveImages : public testing::Test {
 protected:
  void SetUp() override {
    auto server = RegistryServer::start(RegistryAuthentication::none);
    ASSERT_OK(server);
    server_ = std::move(*server);
    builder::FetcherOptions options = fast_options(1);
    options.mirrors = {{"example.com", "http://" + server_->host()}};
    fetcher_ = make_fetcher(std::move(options), log_);
    ASSERT_TRUE(fetcher_);
  }

  Result<builder::ResolvedImages> resolve(const std::vector<bundle::ImageSpec>& images,
                                          std::vector<std::string> platforms = {"linux/amd64"}) {
    return builder::resolve_images(images, {*fetcher_, log_, std::move(platforms), 4});
  }
  std::string made(const char* image, const char* member) const {
    return std::string(server_->made().as_object().at(image).as_object().at(member).as_string());
  }

  RecordingLog log_;
  std::unique_ptr<RegistryServer> server_;
  std::unique_ptr<builder::Fetcher> fetcher_;
};

std::vector<std::string> digests_of(const bundle::LockedImage& image) {
  std::vector<std::string> result;
  for (const Digest& digest : image.blobs) result.push_back(digest.str());
  return result;
}

std::vector<std::string> names_of(const builder::ResolvedImages& resolved) {
  std::vector<std::string> result;
  for (const auto& image : resolved.images) result.push_back(image.name);
  return result;
}

const bundle::LockedImage& image_of(const builder::ResolvedImages& resolved, const std::string& name) {
  return *std::find_if(resolved.images.begin(), resolved.images.end(),
                       [&](const auto& image) { return image.name == name; });
}

TEST_F(ResolveImages, KeepsTheWholeIndexButOnlyTheChosenPlatforms) {
  const auto resolved = resolve({{"example.com/multi/oci:1", {}}});
  ASSERT_OK(resolved);
  const auto& image = image_of(*resolved, "example.com/multi/oci:1");
  EXPECT_EQ(image.digest.str(), server_->digest("multi/oci:1"));
  EXPECT_EQ(image.media_type, oci::kOciIndex);
  EXPECT_THAT(image.platforms, ElementsAre("linux/amd64"));
  const auto blobs = digests_of(image);
  EXPECT_EQ(blobs.front(), image.digest.str());
  const auto& object = server_->made().as_object().at("multi/oci:1").as_object();
  for (const auto& absent : object.at("arm64_only").as_array())
    EXPECT_THAT(blobs, Not(Contains(std::string(absent.as_string()))));
  // The attestation about amd64 follows its manifest in the index.
  EXPECT_THAT(blobs, Contains(std::string(object.at("children").as_array()[0].as_string())));
  EXPECT_THAT(blobs, Contains(std::string(object.at("children").as_array()[1].as_string())));
  EXPECT_THAT(blobs, Not(Contains(std::string(object.at("children").as_array()[3].as_string()))));
}

TEST_F(ResolveImages, AllPlatformsMeansEverything) {
  const auto resolved = resolve({{"example.com/multi/oci:1", {"all"}}});
  ASSERT_OK(resolved);
  const auto& image = image_of(*resolved, "example.com/multi/oci:1");
  EXPECT_THAT(image.platforms, ElementsAre("linux/amd64", "linux/arm/v6", "linux/arm64"));
  const auto blobs = digests_of(image);
  for (const auto& child :
       server_->made().as_object().at("multi/oci:1").as_object().at("children").as_array()) {
    EXPECT_THAT(blobs, Contains(std::string(child.as_string())));
  }
}

TEST_F(ResolveImages, CarriesSignaturesAndReferrersAlong) {
  const auto resolved = resolve({{"example.com/multi/oci:1", {}}});
  ASSERT_OK(resolved);
  const std::string hex = server_->digest("multi/oci:1").substr(7);
  const std::string signature = "example.com/multi/oci:sha256-" + hex + ".sig";
  EXPECT_THAT(names_of(*resolved),
              testing::UnorderedElementsAre("example.com/multi/oci:1", signature,
                                            "example.com/multi/oci@" + made("multi/oci:1", "referrer")));
  EXPECT_THAT(digests_of(image_of(*resolved, signature)), Contains(made("multi/oci:1", "signature")));
  EXPECT_TRUE(image_of(*resolved, signature).platforms.empty());
  EXPECT_TRUE(std::is_sorted(resolved->images.begin(), resolved->images.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
}

TEST_F(ResolveImages, AnOlderArmServesANewerOne) {
  const auto resolved = resolve({{"example.com/multi/oci:1", {"linux/arm/v7"}}});
  ASSERT_OK(resolved);
  EXPECT_THAT(image_of(*resolved, "example.com/multi/oci:1").platforms, ElementsAre("linux/arm/v6"));
}

TEST_F(ResolveImages, APlatformThatIsNotThereIsAnErrorWithThoseThatAre) {
  EXPECT_FAILS(resolve({{"example.com/multi/docker:1", {"linux/s390x"}}}), ErrorCode::not_found,
               "linux/amd64, linux/arm64");
  EXPECT_FAILS(resolve({{"example.com/single/oci:1", {}}}, {"linux/amd64", "linux/arm64"}),
               ErrorCode::not_found, "it has only linux/amd64");
}

TEST_F(ResolveImages, ReadsThePlatformOfASingleManifestFromItsConfig) {
  const auto resolved = resolve({{"example.com/single/oci:1", {}}, {"example.com/single/docker:1", {}}});
  ASSERT_OK(resolved);
  ASSERT_EQ(resolved->images.size(), 2U);
  EXPECT_THAT(resolved->images[0].platforms, ElementsAre("linux/amd64"));
  EXPECT_EQ(resolved->images[0].media_type, oci::kDockerManifest);
  // Without a mediaType member of its own it keeps the one the registry says.
  EXPECT_EQ(resolved->images[1].media_type, oci::kOciManifest);
}

TEST_F(ResolveImages, TheOrderOfTheSpecChangesNothingAndRepetitionsAreUnited) {
  const auto once = resolve({{"example.com/multi/docker:1", {"linux/amd64"}},
                             {"example.com/multi/docker:1", {"linux/arm64"}},
                             {"example.com/single/oci:1", {}}});
  const auto again = resolve(
      {{"example.com/single/oci:1", {}}, {"example.com/multi/docker:1", {"linux/arm64", "linux/amd64"}}});
  ASSERT_OK(once);
  ASSERT_OK(again);
  ASSERT_EQ(names_of(*once), names_of(*again));
  for (std::size_t i = 0; i < once->images.size(); ++i) {
    auto left = digests_of(once->images[i]);
    auto right = digests_of(again->images[i]);
    EXPECT_EQ(left, right);
    EXPECT_EQ(once->images[i].platforms, again->images[i].platforms);
  }
}

TEST_F(ResolveImages, ADigestInTheNameIsWhatCounts) {
  const std::string digest = server_->digest("single/oci:1");
  const auto resolved = resolve({{"example.com/single/oci@" + digest, {}}});
  ASSERT_OK(resolved);
  EXPECT_THAT(names_of(*resolved), ElementsAre("example.com/single/oci@" + digest));
}

}  // namespace
}  // namespace sealift::test
