#include "lib/oci/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::oci {
namespace {

using testing::HasSubstr;

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string descriptor(std::string_view digest, std::string_view size, std::string_view more = "") {
  return fmt::format(R"({{"mediaType":"application/x","digest":"{}","size":{}{}}})", digest, size, more);
}

std::string manifest(std::string_view type, std::string_view layers) {
  return fmt::format(R"({{"schemaVersion":2{},"config":{},"layers":[{}]}})", type, descriptor(kDigest, "3"),
                     layers);
}

std::string error_of(const Result<Document>& result) {
  return result ? "no error" : result.error().message();
}

TEST(ParseManifest, TakesTheMediaTypeFromContextWhenItHasNone) {
  const auto document = parse_document(manifest("", descriptor(kDigest, "7")), kDockerManifest, "m");
  ASSERT_TRUE(document) << error_of(document);
  const auto& parsed = std::get<Manifest>(*document);
  EXPECT_EQ(parsed.media_type, kDockerManifest);
  ASSERT_EQ(parsed.layers.size(), 1U);
  EXPECT_EQ(parsed.layers[0].size, 7U);
  EXPECT_EQ(std::get<Manifest>(*parse_document(manifest("", ""), "", "m")).media_type, kOciManifest);
}

TEST(ParseManifest, ReadsAnIndexWithPlatforms) {
  const std::string text = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{},{}]}})", kDockerManifestList,
      descriptor(kDigest, "1", R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"})"),
      descriptor(kDigest, "2"));
  const auto document = parse_document(text, "", "m");
  ASSERT_TRUE(document) << error_of(document);
  const auto& index = std::get<Index>(*document);
  EXPECT_EQ(index.manifests[0].platform->str(), "linux/arm64");
  EXPECT_FALSE(index.manifests[1].platform);
}

TEST(ParseManifest, ReadsArtifactManifestsAndSubjects) {
  const std::string text =
      fmt::format(R"({{"mediaType":"{}","artifactType":"application/x.sbom","blobs":[{}],"subject":{}}})",
                  kOciArtifactManifest, descriptor(kDigest, "1"), descriptor(kDigest, "2"));
  const auto document = parse_document(text, "", "m");
  ASSERT_TRUE(document) << error_of(document);
  const auto& parsed = std::get<Manifest>(*document);
  EXPECT_EQ(parsed.layers.size(), 1U);
  EXPECT_EQ(parsed.subject->size, 2U);
  EXPECT_EQ(parsed.artifact_type, "application/x.sbom");
}

TEST(ParseManifest, RefusesDocumentsThatCanBeReadAsTwoThings) {
  const std::string both = fmt::format(R"({{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}})",
                                       descriptor(kDigest, "1"));
  EXPECT_THAT(error_of(parse_document(both, "", "m")), HasSubstr("index and of a manifest"));
  EXPECT_THAT(error_of(parse_document(manifest(fmt::format(R"(,"mediaType":"{}")", kOciManifest), ""),
                                      kOciIndex, "m")),
              HasSubstr("was announced as"));
}

TEST(ParseManifest, NamesThePlaceOfABadDescriptor) {
  EXPECT_THAT(error_of(parse_document(manifest("", descriptor("sha256:abc", "1")), "", "m")),
              HasSubstr("layers[0].digest"));
  EXPECT_THAT(error_of(parse_document(manifest("", descriptor(kDigest, "-1")), "", "m")),
              HasSubstr("layers[0].size"));
  EXPECT_THAT(error_of(parse_document(manifest("", descriptor(kDigest, "1e3")), "", "m")),
              HasSubstr("layers[0].size"));
  EXPECT_THAT(error_of(parse_document(manifest("", descriptor(kDigest, "18446744073709551615")), "", "m")),
              HasSubstr("more than any blob"));
  EXPECT_THAT(error_of(parse_document(manifest("", "7"), "", "m")), HasSubstr("layers[0]"));
}

TEST(ParseManifest, SaysWhatItDoesNotRead) {
  EXPECT_THAT(error_of(parse_document(R"({"schemaVersion":1,"fsLayers":[]})", "", "m")),
              HasSubstr("schema 1"));
  EXPECT_EQ(
      parse_document("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws", "m").error().code(),
      ErrorCode::unsupported);
  EXPECT_THAT(error_of(parse_document("{}", "text/html", "m")), HasSubstr("text/html"));
  EXPECT_THAT(error_of(parse_document("{}", "", "m")), HasSubstr("neither"));
  EXPECT_THAT(error_of(parse_document("[]", "", "m")), HasSubstr("an object"));
  EXPECT_EQ(parse_document("", kOciManifest, "m").error().code(), ErrorCode::integrity);
}

TEST(ParseManifest, IsBounded) {
  EXPECT_THAT(error_of(parse_document(std::string(kMaxManifestBytes + 1, ' '), kOciManifest, "m")),
              HasSubstr("more than the"));
  std::string layers = descriptor(kDigest, "1");
  for (std::size_t i = 0; i < kMaxDescriptors; ++i) layers += "," + descriptor(kDigest, "1");
  EXPECT_THAT(error_of(parse_document(manifest("", layers), "", "m")), HasSubstr("more than 10000 entries"));
  EXPECT_FALSE(parse_document(std::string(100'000, '['), "", "m"));
}

TEST(MediaTypes, ForeignLayersAreKnown) {
  EXPECT_TRUE(is_foreign_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
  EXPECT_TRUE(is_foreign_layer("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"));
  EXPECT_FALSE(is_foreign_layer("application/vnd.oci.image.layer.v1.tar+gzip"));
}

TEST(ParseConfigPlatform, ReadsThePlatformAndDemandsIt) {
  EXPECT_EQ(parse_config_platform(R"({"os":"linux","architecture":"arm","variant":"v7"})", "c")->str(),
            "linux/arm");
  EXPECT_FALSE(parse_config_platform(R"({"os":"linux"})", "c"));
  EXPECT_FALSE(parse_config_platform("null", "c"));
}

}  // namespace
}  // namespace sealift::oci
