/// What a hostile or broken client does to a server: bytes by hand.
#include <thread>

#include "tests/integration/serve/raw_connection.hpp"
#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

class AbuseTest : public ServedBundleTest {
 protected:
  void SetUp() override {
    options.limits.connections = 60;
    serve(recipe_with_images());
  }
  std::string ask(std::string_view text) const { return RawConnection(mirror->repository_port()).ask(text); }
  void expect_alive() const {
    EXPECT_THAT(ask("GET /healthz HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
  }
};

/// With short limits, for what must run into them.
class SlowClientTest : public AbuseTest {
 protected:
  void SetUp() override {
    options.limits.head = std::chrono::seconds(1);
    options.limits.idle = std::chrono::seconds(2);
    options.limits.stalled = std::chrono::seconds(2);
    AbuseTest::SetUp();
  }
};

TEST_F(AbuseTest, AnswersPipelinedRequestsInOrder) {
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += i % 2 == 0 ? "GET /files/notes.txt HTTP/1.1\r\nHost: h\r\n\r\n"
                           : "HEAD /files/big.bin HTTP/1.1\r\nHost: h\r\n\r\n";
  requests += "GET /files/absent HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  const std::string answer = ask(requests);
  EXPECT_EQ(count(answer, "HTTP/1.1 200 OK"), 50U);
  EXPECT_EQ(count(answer, "carried across\n"), 25U);
  EXPECT_EQ(count(answer, "HTTP/1.1 404 Not Found"), 1U);
  EXPECT_GT(answer.find("404"), answer.rfind("200 OK"));
}

TEST_F(AbuseTest, TakesARequestInSingleBytes) {
  const RawConnection connection(mirror->repository_port());
  for (const char c : std::string("GET /healthz HTTP/1.0\r\n\r\n")) connection.send({&c, 1});
  EXPECT_THAT(connection.read_all(), HasSubstr("ok"));
}

TEST_F(AbuseTest, RefusesMalformedRequestsAndLivesOn) {
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /files/../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET / HTTP/9.9\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 505"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  expect_alive();
}

TEST_F(AbuseTest, CountsEmptyLinesBeforeARequest) {
  const std::string request = "GET /healthz HTTP/1.0\r\n\r\n";
  EXPECT_THAT(ask("\r\n\r\n" + request), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(std::string(15000, '\n') + request), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(std::string(20000, '\n') + request), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(std::string(16000, '\n') + "GET / HTTP/1.0\r\nX: " + std::string(1000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
}

TEST_F(AbuseTest, NeverTakesABodyForARequest) {
  const std::string smuggled = "GET /files/notes.txt HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string answer = ask(
      fmt::format("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}", smuggled.size(), smuggled));
  EXPECT_EQ(count(answer, "HTTP/1.1 "), 1U);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
}

TEST_F(AbuseTest, NeverTakesABodyOfUnknownLengthForARequest) {
  for (const char* coding : {"gzip", "xchunked", "chunked, identity", "identity", ""}) {
    const std::string answer =
        ask(fmt::format("GET /healthz HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {}\r\n\r\n"
                        "GET /files/notes.txt HTTP/1.0\r\n\r\n",
                        coding));
    EXPECT_EQ(count(answer, "HTTP/1.1 "), 1U) << coding;
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << coding;
  }
}

TEST_F(SlowClientTest, EndsSlowHeads) {
  const RawConnection connection(mirror->repository_port());
  connection.send("GET / HTTP/1.1\r\nHost: h\r\n");
  std::thread drip([&] {
    for (int i = 0; i < 60 && connection.send("X: y\r\n"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(connection.read_all(), StartsWith("HTTP/1.1 408"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(6));
  drip.join();
}

TEST_F(SlowClientTest, EmptyLinesBuyNoTime) {
  const RawConnection connection(mirror->repository_port());
  std::thread drip([&] {
    for (int i = 0; i < 60 && connection.send("\r\n"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(connection.read_all(), StartsWith("HTTP/1.1 408"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(6));
  drip.join();
}

TEST_F(SlowClientTest, AFloodOfEmptyLinesDoesNotOutliveTheDeadlines) {
  // So many that the server never waits for one: what only ends waiting would not end this. Then a request
  // whose answer nobody reads.
  std::vector<std::unique_ptr<RawConnection>> flood;
  for (int i = 0; i < 4; ++i) flood.push_back(std::make_unique<RawConnection>(mirror->repository_port()));
  const std::string lines(1U << 20, '\n');
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < until) {
    for (const auto& each : flood) each->send(lines);
  }
  for (const auto& each : flood) each->send("GET /files/big.bin HTTP/1.1\r\nHost: h\r\n\r\n");
  for (const auto& each : flood) EXPECT_TRUE(each->is_reset_within(std::chrono::seconds(8)));
  expect_alive();
}

TEST_F(SlowClientTest, EndsConnectionsThatSayNothing) {
  EXPECT_EQ(RawConnection(mirror->repository_port()).read_all(), "");
  const RawConnection half_tls(mirror->repository_port());
  half_tls.send("\x16\x03\x01");
  EXPECT_EQ(half_tls.read_all(), "");
  expect_alive();
}

TEST_F(SlowClientTest, EndsReadersThatStandStill) {
  const RawConnection connection(mirror->repository_port());
  connection.send("GET /files/big.bin HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string log_text;
  for (int i = 0; i < 200 && log_text.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    log_text = *read_file(path("access.log"), 1U << 20);
  }
  EXPECT_THAT(log_text, HasSubstr("\"GET /files/big.bin\" 200 "));
  EXPECT_LT(connection.read_all().size(), kBigBytes);
}

TEST_F(AbuseTest, TlsOnAPlainRequestIsNotGarbled) {
  EXPECT_EQ(ask(std::string("\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff", 10)).find("HTTP/"),
            std::string::npos);
  expect_alive();
}

TEST_F(AbuseTest, RefusesConnectionsPastTheLimitAndRecovers) {
  {
    std::vector<std::unique_ptr<RawConnection>> crowd;
    for (int i = 0; i < 60; ++i) crowd.push_back(std::make_unique<RawConnection>(mirror->repository_port()));
    for (const auto& each : crowd) each->send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    char first = 0;
    for (const auto& each : crowd) EXPECT_EQ(::recv(each->fd(), &first, 1, 0), 1);
    EXPECT_THAT(RawConnection(mirror->repository_port()).read_all(), StartsWith("HTTP/1.1 503"));
  }
  // The server sees the crowd's end soon, not at once.
  for (int i = 0; i < 100 && !ask("GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  expect_alive();
}

TEST_F(AbuseTest, StopsGracefully) {
  const RawConnection busy(mirror->repository_port());
  const RawConnection idle(mirror->repository_port());
  idle.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  char first = 0;
  EXPECT_EQ(::recv(idle.fd(), &first, 1, 0), 1);
  busy.send("GET /files/big.bin HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(::recv(busy.fd(), &first, 1, 0), 1);
  std::string rest;
  std::thread reader([&] { rest = busy.read_all(); });
  mirror->stop(std::chrono::seconds(10));
  reader.join();
  EXPECT_GT(rest.size(), kBigBytes);
  EXPECT_TRUE(rest.ends_with(big.substr(kBigBytes - 1000)));
}

}  // namespace
}  // namespace sealift::repo_server
