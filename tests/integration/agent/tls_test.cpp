// Health checks and downloads over TLS, against OpenSSL's own server.
#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

#include "installer/host/channel.hpp"
#include "installer/host/http.hpp"
#include "lib/base/process.hpp"
#include "program.hpp"

namespace sealift::installer {
namespace {

class TlsTest : public testing::Test {
 protected:
  TlsTest()
      : directory_(std::move(*TemporaryDirectory::create("sealift-tls"))),
        path_(directory_.path().string()) {}

  void SetUp() override {
    const auto made =
        run_checked({.arguments = {"sh", "-ec",
                                   "cd " + path_ +
                                       "; for n in ca other; do openssl req -x509 -newkey ec -pkeyopt "
                                       "ec_paramgen_curve:P-256 -nodes -keyout $n.key "
                                       "-out $n.crt -days 2 -subj /CN=$n; done; openssl req -newkey ec "
                                       "-pkeyopt ec_paramgen_curve:P-256 -nodes "
                                       "-keyout s.key -out s.csr -subj /CN=server; echo "
                                       "subjectAltName=IP:127.0.0.1 >ext; openssl x509 -req -in "
                                       "s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext "
                                       "-out s.crt; printf hello >file"}});
    ASSERT_TRUE(made) << made.error().message();
    port_ = free_port();
    auto started = start_channel(
        {"sh", "-c",
         fmt::format(
             "cd {} && echo $$ >pid && exec openssl s_server -quiet -WWW -accept {} -cert s.crt -key s.key",
             path_, port_)},
        {});
    ASSERT_TRUE(started) << started.error().message();
    server_ = std::move(*started);
    ASSERT_TRUE(answers(port_)) << server_->diagnosis();
  }
  void TearDown() override {
    if (const auto pid = read_file(path_ + "/pid", 64); pid) ::kill(std::stoi(*pid), SIGTERM);
    server_.reset();
  }
  std::string pem(const std::string& name) { return *read_file(path_ + "/" + name, 1 << 16); }
  Result<std::string> get(const std::string& address, const std::string& ca,
                          Verification verification = Verification::ca) {
    MemorySink body(1 << 16);
    HttpGet request{.url = fmt::format("https://{}:{}/file", address, port_), .ca_pem = ca};
    request.verification = verification;
    TRY_ASSIGN(const HttpAnswer answer, http_get(request, body));
    if (answer.status != 200) return fail(ErrorCode::network, "status {}", answer.status);
    return body.take();
  }

  TemporaryDirectory directory_;
  std::string path_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Channel> server_;
};

TEST_F(TlsTest, TrustsOnlyTheGivenAuthorityAndOnlyForItsAddress) {
  const auto good = get("127.0.0.1", pem("ca.crt"));
  ASSERT_TRUE(good) << good.error().message();
  EXPECT_EQ(*good, "hello");
  EXPECT_EQ(*get("127.0.0.1", pem("other.crt") + pem("ca.crt")), "hello")
      << "several authorities in one text";
  EXPECT_EQ(get("127.0.0.1", pem("other.crt")).error().code(), ErrorCode::untrusted);
  EXPECT_EQ(get("127.0.0.2", pem("ca.crt")).error().code(), ErrorCode::untrusted)
      << "the certificate is for 127.0.0.1";
  EXPECT_EQ(get("127.0.0.1", "").error().code(), ErrorCode::untrusted)
      << "nothing to check with is not nothing to check";
  EXPECT_EQ(*get("127.0.0.2", "", Verification::none), "hello");
}

TEST_F(TlsTest, StepsFetchAndWaitOverIt) {
  const std::string root = path_ + "/root";
  fs::create_directories(root);
  const std::string url = fmt::format("https://127.0.0.1:{}/file", port_);
  Download from{.urls = {url}, .digest = digest_of("hello"), .size = 5, .ca_pem = pem("ca.crt")};
  const auto session = local_session(root);
  Told told;
  const Status status = session->run(
      kOwner,
      {{"w",
        WaitFor{.condition = HttpAnswers{.url = url, .status = 200, .ca_pem = pem("ca.crt"), .ca_file = {}}},
        ""},
       {"n",
        WaitFor{.condition = HttpAnswers{.url = url + "-not-there", .status = 404},
                .deadline = std::chrono::seconds(0)},
        ""},
       {"f", FetchFile{.from = from, .path = "/file", .mode = 0644, .elf_machine = {}}, ""}},
      StepMode::apply, told.handler());
  // s_server answers 200 to everything, with the error as text; so the second wait cannot hold.
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("expected 404"), std::string::npos) << status.error().message();
  ASSERT_TRUE(session->run(
      kOwner, {{"f", FetchFile{.from = from, .path = "/file", .mode = 0644, .elf_machine = {}}, ""}},
      StepMode::apply, told.handler()));
  EXPECT_EQ(*read_file(root + "/file", 100), "hello");
}

}  // namespace
}  // namespace sealift::installer
