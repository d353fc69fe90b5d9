#include "lib/crypto/certificate.hpp"
#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class CurlTest : public ServedBundleTest {
 protected:
  void SetUp() override { serve(recipe_with_images()); }
};

TEST_F(CurlTest, OnePortSpeaksPlainAndTls) {
  for (const char* scheme : {"http", "https"}) {
    EXPECT_EQ(status_of({fmt::format("{}://{}/files/big.bin", scheme, repository())}), "200");
    EXPECT_TRUE(body() == big) << scheme;
    EXPECT_EQ(status_of({fmt::format("{}://{}/v2/", scheme, registry())}), "200");
  }
}

TEST_F(CurlTest, TlsNeedsTheSitesCa) {
  const auto output =
      run({{"curl", "-sS", "-o", "/dev/null", fmt::format("https://{}/healthz", repository())}});
  EXPECT_EQ(output->exit_code, 60);  // peer certificate cannot be authenticated
}

TEST_F(CurlTest, EachTlsModeRefusesTheOtherKind) {
  options.tls = http::TlsMode::tls_only;
  start();
  EXPECT_EQ(status_of({fmt::format("http://{}/healthz", repository())}), "400");
  EXPECT_THAT(body(), HasSubstr("HTTPS only"));
  EXPECT_EQ(status_of({fmt::format("https://{}/healthz", repository())}), "200");
  options.tls = http::TlsMode::plain_only;
  start();
  EXPECT_EQ(status_of({fmt::format("http://{}/healthz", repository())}), "200");
  EXPECT_EQ(run({{"curl", "-sSk", fmt::format("https://{}/healthz", repository())}})->exit_code, 35);
}

TEST_F(CurlTest, ServesIpv4AndIpv6SideBySide) {
  options.listen = {"127.0.0.1", "::1"};
  start();
  EXPECT_EQ(status_of({fmt::format("https://[::1]:{}/files/notes.txt", mirror->repository_port())}), "200");
  EXPECT_EQ(status_of({fmt::format("https://{}/files/notes.txt", repository())}), "200");
  EXPECT_THAT(access_log(), HasSubstr("::1 \"GET /files/notes.txt\" 200 15 "));
}

TEST_F(CurlTest, GivenCertificatesAreUsed) {
  const auto authority = create_authority("the site's own", now());
  const auto server = issue_server_certificate(*authority, {{}, {"127.0.0.1"}}, now());
  ASSERT_TRUE(write_file_atomically(path("given.crt"), server->certificate_pem));
  ASSERT_TRUE(write_file_atomically(path("given.key"), server->key_pem, 0600));
  options.tls_certificate = path("given.crt");
  options.tls_key = path("given.key");
  start();
  ASSERT_TRUE(write_file_atomically(path("ca.crt"), authority->certificate_pem));
  EXPECT_EQ(status_of({fmt::format("https://{}/healthz", repository())}), "200");
}

TEST_F(CurlTest, RangesAreExact) {
  for (const std::string scheme : {"http", "https"}) {
    const std::string url = fmt::format("{}://{}/files/big.bin", scheme, repository());
    EXPECT_EQ(status_of({"-r", "100000-299999", url}), "206");
    EXPECT_TRUE(body() == big.substr(100000, 200000));
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Range: bytes 100000-299999/{}", kBigBytes)));
    EXPECT_EQ(status_of({"-r", "-5", url}), "206");
    EXPECT_TRUE(body() == big.substr(kBigBytes - 5));
    EXPECT_EQ(status_of({"-r", "0-0", url}), "206");
    EXPECT_EQ(body(), big.substr(0, 1));
    EXPECT_EQ(status_of({"-r", fmt::format("{}-", kBigBytes), url}), "416");
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Range: bytes */{}", kBigBytes)));
    EXPECT_THAT(head(), HasSubstr("Content-Length: 0"));
  }
}

TEST_F(CurlTest, ResumesAndRevalidates) {
  const std::string url = fmt::format("http://{}/files/big.bin", repository());
  ASSERT_TRUE(write_file_atomically(path("body"), big.substr(0, 1234567)));
  EXPECT_EQ(run_client({"curl", "-sS", "-C", "-", "-o", path("body"), "-w", "%{http_code}", url}), "206");
  EXPECT_TRUE(body() == big);
  const std::string etag = digest_of(big).str();
  EXPECT_EQ(status_of({"-H", fmt::format("If-None-Match: \"{}\"", etag), url}), "304");
  EXPECT_EQ(status_of({"-H", "If-Modified-Since: Fri, 20 Nov 2026 12:00:00 GMT", url}), "304");
}

TEST_F(CurlTest, HeadSaysTheLengthAndSendsNothing) {
  EXPECT_EQ(status_of({"-I", fmt::format("https://{}/files/big.bin", repository())}), "200");
  EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Length: {}", kBigBytes)));
  EXPECT_THAT(head(), HasSubstr("Accept-Ranges: bytes"));
}

TEST_F(CurlTest, EmptyFilesAndKeepAliveWork) {
  const std::string url = fmt::format("http://{}/files/", repository());
  const std::string out = run_client({"curl", "-sS", url + "empty", url + "notes.txt", url + "empty",
                                      url + "notes.txt", "-w", "[%{num_connects}]"});
  EXPECT_EQ(out, "[1]carried across\n[0][0]carried across\n[0]");
}

TEST_F(CurlTest, PushingIsRefusedBeforeTheBodyIsSent) {
  ASSERT_TRUE(write_file_atomically(path("upload"), std::string(3U << 20, 'x')));
  EXPECT_EQ(status_of({"-T", path("upload"),
                       fmt::format("http://{}/v2/registry.k8s.io/pause/manifests/new", registry())}),
            "405");
  EXPECT_THAT(body(), HasSubstr("UNSUPPORTED"));
}

TEST_F(CurlTest, AccessLogTellsEveryRequestOnce) {
  EXPECT_EQ(status_of({fmt::format("http://{}/v2/pause/manifests/3.10?ns=registry.k8s.io", registry())}),
            "200");
  EXPECT_EQ(status_of({fmt::format("https://{}/files/absent%0aforged", repository())}), "400");
  EXPECT_EQ(status_of({fmt::format("https://{}/files/absent%22", repository())}), "404");
  const std::string lines = access_log();
  EXPECT_THAT(lines, HasSubstr("127.0.0.1 \"GET /v2/pause/manifests/3.10?ns=registry.k8s.io\" 200 "));
  EXPECT_THAT(lines, HasSubstr("\"GET /files/absent%22\" 404 "));
  EXPECT_THAT(lines, HasSubstr("tls=1"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
}

TEST_F(CurlTest, ManyAtOnceGetTheRightBytes) {
  std::vector<std::string> arguments = {"curl",
                                        "-sS",
                                        "--cacert",
                                        path("ca.crt"),
                                        "--parallel",
                                        "--parallel-max",
                                        "40",
                                        "--parallel-immediate",
                                        "--no-progress-meter"};
  for (int i = 0; i < 40; ++i) {
    arguments.push_back(fmt::format("{}://{}/files/big.bin", i % 2 == 0 ? "http" : "https", repository()));
    arguments.push_back("-o");
    arguments.push_back(path(fmt::format("copy{}", i)));
  }
  run_client(arguments);
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(*read_file(path(fmt::format("copy{}", i)), 64U << 20) == big) << i;
}

TEST_F(CurlTest, SaysItsState) {
  EXPECT_EQ(status_of({fmt::format("http://{}/healthz", repository())}), "200");
  EXPECT_EQ(status_of({fmt::format("http://{}/metrics", repository())}), "200");
  EXPECT_THAT(body(), HasSubstr("sealift_http_requests_total{class=\"2xx\"}"));
  for (std::string state; state.find("\"verified\": true") == std::string::npos; state = body()) {
    ASSERT_EQ(status_of({fmt::format("http://{}/readyz", repository())}), "200");
    ASSERT_THAT(body(), Not(HasSubstr("failed")));
  }
}

}  // namespace
}  // namespace sealift::repo_server
