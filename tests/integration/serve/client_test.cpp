#include "repo-server/client.hpp"

#include "lib/crypto/certificate.hpp"
#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

class ClientTest : public ServedBundleTest {
 protected:
  void SetUp() override { serve(recipe_with_images()); }
  DownloadRequest request_for(const std::string& scheme, const std::string& file) {
    DownloadRequest request;
    request.url = fmt::format("{}://{}{}", scheme, repository(), file);
    request.ca_pem = mirror->ca_pem();
    request.attempts = 2;
    return request;
  }
};

TEST_F(ClientTest, DownloadsOverBothSchemesAndChecksTheDigest) {
  for (const std::string scheme : {"http", "https"}) {
    auto request = request_for(scheme, "/files/big.bin");
    request.digest = digest_of(big);
    request.size = big.size();
    MemorySink sink(64U << 20);
    const auto size = download(request, sink);
    ASSERT_TRUE(size) << size.error().message();
    EXPECT_EQ(*size, big.size());
    EXPECT_TRUE(sink.text() == big);
  }
}

TEST_F(ClientTest, TellsWrongContent) {
  auto request = request_for("https", "/files/notes.txt");
  NullSink sink;
  request.digest = digest_of("something else");
  EXPECT_EQ(download(request, sink).error().code(), ErrorCode::integrity);
  request.digest.reset();
  request.size = 3;
  EXPECT_EQ(download(request, sink).error().code(), ErrorCode::integrity);
  request.size.reset();
  request.limit_bytes = 4;
  EXPECT_EQ(download(request, sink).error().code(), ErrorCode::integrity);
}

TEST_F(ClientTest, TellsWhatIsMissingOrUnreachable) {
  NullSink sink;
  EXPECT_EQ(download(request_for("https", "/files/absent"), sink).error().code(), ErrorCode::not_found);
  auto nobody = request_for("http", "/");
  nobody.url = "http://127.0.0.1:1/";
  EXPECT_EQ(download(nobody, sink).error().code(), ErrorCode::network);
  nobody.url = "http://mirror.example/";
  EXPECT_EQ(download(nobody, sink).error().code(), ErrorCode::invalid_argument);
}

TEST_F(ClientTest, RefusesAnotherAuthority) {
  auto request = request_for("https", "/files/notes.txt");
  request.ca_pem = create_authority("somebody else", now())->certificate_pem;
  NullSink sink;
  EXPECT_EQ(download(request, sink).error().code(), ErrorCode::authentication);
}

TEST_F(ClientTest, ReadsText) {
  EXPECT_EQ(*download_text(request_for("https", "/files/notes.txt")), "carried across\n");
}

}  // namespace
}  // namespace sealift::repo_server
