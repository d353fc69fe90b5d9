#include "lib/oci/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealift::oci {
namespace {

const std::string kHex(64, 'a');

std::string full(std::string_view text) {
  const auto reference = Reference::parse(text);
  return reference ? reference->str() : "error: " + reference.error().message();
}

TEST(ParseReference, CompletesShortNamesAsDockerDoes) {
  EXPECT_EQ(full("nginx"), "docker.io/library/nginx:latest");
  EXPECT_EQ(full("nginx:1.27"), "docker.io/library/nginx:1.27");
  EXPECT_EQ(full("user/app"), "docker.io/user/app:latest");
  EXPECT_EQ(full("docker.io/nginx"), "docker.io/library/nginx:latest");
  EXPECT_EQ(full("index.docker.io/library/nginx:1"), "docker.io/library/nginx:1");
  EXPECT_EQ(full("nginx@sha256:" + kHex), "docker.io/library/nginx@sha256:" + kHex);
}

TEST(ParseReference, KeepsFullNames) {
  for (const std::string& name :
       {std::string("registry.k8s.io/pause:3.10"), std::string("localhost:5000/a/b:1"),
        std::string("localhost/a:1"), std::string("127.0.0.2:5443/k8s.gcr.io/pause:3.2"),
        std::string("[::1]:5000/a:1"), "quay.io/a/b:v1@sha256:" + kHex}) {
    EXPECT_EQ(full(name), name);
  }
}

TEST(ParseReference, FoldsTheCaseOfTheRegistryOnly) {
  EXPECT_EQ(full("Quay.IO/a/b:V1"), "quay.io/a/b:V1");
  EXPECT_FALSE(Reference::parse("quay.io/A/b:1"));
}

TEST(ParseReference, PrefersTheDigestAsSelector) {
  EXPECT_EQ(Reference::parse("quay.io/a/b:v1@sha256:" + kHex)->selector(), "sha256:" + kHex);
  EXPECT_EQ(Reference::parse("quay.io/a/b:v1")->selector(), "v1");
}

TEST(ParseReference, RefusesWhatNoRegistryWouldTake) {
  for (const std::string_view bad : {"",
                                     "/",
                                     "a/",
                                     "/a",
                                     "a//b",
                                     "a:",
                                     "a:b:c",
                                     "a@",
                                     "a@sha256:abc",
                                     "a@md5:00",
                                     "a b",
                                     "a:-x",
                                     "../../etc/passwd",
                                     "quay.io/..",
                                     "quay.io/a/../b",
                                     "a___b",
                                     "a..b",
                                     "-a",
                                     "a-",
                                     "registry:99999999/a",
                                     "regi stry.io/a",
                                     "[zz]:5000/a",
                                     "a\n",
                                     "a:x\n",
                                     "https://quay.io/a",
                                     "beKgry/app"}) {
    EXPECT_FALSE(Reference::parse(bad)) << bad;
  }
  EXPECT_FALSE(Reference::parse(std::string(300, 'a')));
  EXPECT_FALSE(Reference::parse("a:" + std::string(129, 'b')));
  EXPECT_TRUE(Reference::parse("a:" + std::string(128, 'b')));
}

TEST(ParseReference, QuotesLittleOfALongMistake) {
  const auto result = Reference::parse(std::string(100'000, 'A'));
  ASSERT_FALSE(result);
  EXPECT_LT(result.error().message().size(), 500U);
}

TEST(ParseReference, AcceptsTheSeparatorsOfTheGrammar) {
  EXPECT_EQ(full("a__b/c---d/e.f_g:1"), "docker.io/a__b/c---d/e.f_g:1");
}

TEST(Reference, MakesCompanionNames) {
  const auto reference = Reference::parse("quay.io/a/b:v1");
  EXPECT_EQ(reference->with_tag("sha256-" + kHex + ".sig")->str(), "quay.io/a/b:sha256-" + kHex + ".sig");
  EXPECT_EQ(reference->with_digest(*Digest::parse("sha256:" + kHex)).str(), "quay.io/a/b@sha256:" + kHex);
  EXPECT_FALSE(reference->with_tag("no/tag"));
}

}  // namespace
}  // namespace sealift::oci
