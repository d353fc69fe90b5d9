#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/fetch/fixture.hpp"

namespace sealift::test {
namespace {

/// docker-registry in its three forms of authentication.
class Registry : public testing::TestWithParam<RegistryAuthentication> {
 protected:
  void SetUp() override {
    auto server = RegistryServer::start(GetParam());
    ASSERT_OK(server);
    server_ = std::move(*server);
  }

  bool is_open() const { return GetParam() == RegistryAuthentication::none; }

  /// Mirror rules are how plain http is declared, and how upstream names reach this registry.
  builder::FetcherOptions options() const {
    builder::FetcherOptions options = fast_options(1);
    const std::string base = (is_open() ? "http://" : "https://") + server_->host();
    options.mirrors = {
        {server_->host(), base}, {"k8s.gcr.io", base + "/k8s.gcr.io"}, {"docker.io", base + "/docker.io"}};
    if (!is_open()) {
      options.ca_file = server_->ca_file();
      options.authfile = server_->authfile();
    }
    return options;
  }

  Result<builder::ResolvedImages> resolve(builder::FetcherOptions options,
                                          const std::vector<bundle::ImageSpec>& images) {
    fetcher_ = make_fetcher(std::move(options), log_);
    return builder::resolve_images(images, {*fetcher_, log_, {"linux/amd64"}, 4});
  }

  RecordingLog log_;
  std::unique_ptr<RegistryServer> server_;
  std::unique_ptr<builder::Fetcher> fetcher_;
};

TEST_P(Registry, EveryBlobOfEveryImageArrivesWithItsDigest) {
  std::vector<bundle::ImageSpec> specs{{"k8s.gcr.io/pause:3.2", {}}, {"web:1", {"all"}}};
  for (const char* name :
       {"single/docker:1", "single/oci:1", "multi/oci:1", "multi/docker:1", "big/layer:1"}) {
    specs.push_back({server_->host() + "/" + name, {}});
  }
  const auto resolved = resolve(options(), specs);
  ASSERT_OK(resolved);
  for (const auto& [digest, blob] : resolved->blobs) {
    NullSink nothing;
    VerifyingSink sink(nothing, digest, blob.size, digest.str());
    ASSERT_OK(fetcher_->fetch_blob(blob, 0, sink));
    ASSERT_OK(sink.finish());
  }
  std::map<std::string, Digest> roots;
  for (const auto& image : resolved->images) roots.emplace(image.name, image.digest);
  ASSERT_TRUE(roots.contains("docker.io/library/web:1"));
  EXPECT_EQ(roots.at("docker.io/library/web:1").str(), server_->digest("docker.io/library/web:1"));
  EXPECT_EQ(roots.at("k8s.gcr.io/pause:3.2").str(), server_->digest("k8s.gcr.io/pause:3.2"));
  EXPECT_EQ(roots.at(server_->host() + "/multi/docker:1").str(), server_->digest("multi/docker:1"));
}

TEST_P(Registry, ContinuesABlobInTheMiddle) {
  const auto resolved = resolve(options(), {{server_->host() + "/big/layer:1", {}}});
  ASSERT_OK(resolved);
  const auto& layer = server_->made().as_object().at("big/layer:1").as_object().at("layer").as_object();
  const auto& blob = resolved->blobs.at(*Digest::parse(std::string_view(layer.at("digest").as_string())));
  MemorySink whole(blob.size);
  MemorySink rest(blob.size);
  ASSERT_OK(fetcher_->fetch_blob(blob, 0, whole));
  ASSERT_OK(fetcher_->fetch_blob(blob, 2'000'000, rest));
  EXPECT_EQ(rest.text(), whole.text().substr(2'000'000));
}

TEST_P(Registry, SaysWhatDoesNotExist) {
  EXPECT_FAILS(resolve(options(), {{server_->host() + "/no/such:1", {}}}), ErrorCode::not_found,
               "/no/such:1");
  EXPECT_FAILS(resolve(options(), {{server_->host() + "/single/oci:2", {}}}), ErrorCode::not_found,
               "MANIFEST_UNKNOWN");
}

TEST_P(Registry, WrongAndMissingLoginsSayWhatToDo) {
  if (is_open()) return;
  builder::FetcherOptions wrong = options();
  wrong.authfile = server_->wrong_authfile();
  EXPECT_FAILS(resolve(std::move(wrong), {{server_->host() + "/single/oci:1", {}}}),
               ErrorCode::authentication, "wrong.json");
  builder::FetcherOptions missing = options();
  missing.authfile = server_->empty_authfile();
  EXPECT_FAILS(resolve(std::move(missing), {{server_->host() + "/single/oci:1", {}}}),
               ErrorCode::authentication, "docker login");
  EXPECT_FALSE(log_.has("password"));
}

TEST_P(Registry, CertificatesAreChecked) {
  if (is_open()) return;
  builder::FetcherOptions options = this->options();
  options.ca_file.clear();
  EXPECT_FAILS(resolve(std::move(options), {{server_->host() + "/single/oci:1", {}}}), ErrorCode::untrusted,
               "--ca-file");
}

TEST_P(Registry, PlainHttpIsNeverGuessed) {
  if (!is_open()) return;
  builder::FetcherOptions options = this->options();
  options.mirrors.clear();
  EXPECT_FAILS(resolve(std::move(options), {{server_->host() + "/single/oci:1", {}}}), ErrorCode::network,
               "http://");
}

std::string name_of(const testing::TestParamInfo<RegistryAuthentication>& info) {
  switch (info.param) {
    case RegistryAuthentication::none:
      return "open";
    case RegistryAuthentication::basic:
      return "basic";
    case RegistryAuthentication::token:
      return "token";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Authentication, Registry,
                         testing::Values(RegistryAuthentication::none, RegistryAuthentication::basic,
                                         RegistryAuthentication::token),
                         name_of);

}  // namespace
}  // namespace sealift::test
