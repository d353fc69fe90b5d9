#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/net/curl_transport.hpp"
#include "tests/integration/fetch/fixture.hpp"

namespace sealift::test {
namespace {

using builder::Fetcher;

constexpr std::uint64_t kPlenty = 64U << 20;

class FetchBlob : public UpstreamTest {
 protected:
  Status fetch(const std::string& path, std::size_t size, std::uint64_t from = 0) {
    return fetcher_->fetch_blob(blob_at(server_->url(path), size), from, sink_);
  }

  MemorySink sink_{kPlenty};
};

TEST_F(FetchBlob, FetchesFromAnyOffset) {
  ASSERT_OK(fetch("ok/100000", 100000, 33333));
  EXPECT_EQ(sink_.text(), lines(100000).substr(33333));
}

TEST_F(FetchBlob, AsksNothingWhenEverythingIsThere) {
  ASSERT_OK(fetch("ok/1000", 1000, 1000));
  EXPECT_EQ(server_->requests("/ok/1000"), 0U);
}

TEST_F(FetchBlob, GoesOnWhereTheConnectionBroke) {
  ASSERT_OK(fetch("close/1000000/300000", 1000000));
  EXPECT_EQ(sink_.text(), lines(1000000));
  EXPECT_EQ(server_->requests("/close/1000000/300000"), 4U);
}

TEST_F(FetchBlob, OutlastsMoreBreaksThanItHasRetriesWhileItAdvances) {
  ASSERT_OK(fetch("close/1000000/70000", 1000000));
  EXPECT_EQ(sink_.text(), lines(1000000));
}

TEST_F(FetchBlob, GivesUpOnAServerThatSendsAFewBytesATime) {
  EXPECT_FAILS(fetch("close/1000000/100", 1000000), ErrorCode::network, "close/1000000/100");
  EXPECT_EQ(server_->requests("/close/1000000/100"), 5U);
}

TEST_F(FetchBlob, SkipsWhatItHasWhenTheServerIgnoresRanges) {
  ASSERT_OK(fetch("forgetful/1000000/400000", 1000000));
  EXPECT_EQ(sink_.text(), lines(1000000));
}

TEST_F(FetchBlob, TriesAsOftenAsTold) {
  EXPECT_FAILS(fetch("drop", 10), ErrorCode::network, "drop");
  EXPECT_EQ(server_->requests("/drop"), 5U);
}

TEST_F(FetchBlob, PassesOverAServerThatIsBusy) {
  ASSERT_OK(fetch("flaky/3/5000", 5000));
  EXPECT_EQ(sink_.text(), lines(5000));
}

TEST_F(FetchBlob, RefusesMoreBytesThanLocked) {
  EXPECT_FAILS(fetch("long/100000", 100000), ErrorCode::integrity, "longer than the 100000 bytes");
  EXPECT_LE(sink_.text().size(), 100000U);
  EXPECT_EQ(server_->requests("/long/100000"), 1U);
}

TEST_F(FetchBlob, RefusesABodyWithoutEnd) {
  EXPECT_FAILS(fetch("endless", 100000), ErrorCode::integrity, "longer than");
}

TEST_F(FetchBlob, SaysWhenUpstreamHasFewerBytes) {
  EXPECT_FAILS(fetch("short/100000/5000", 100000), ErrorCode::integrity, "fewer bytes");
}

TEST_F(FetchBlob, TakesTheBytesOfAServerThatAnnouncedMore) {
  ASSERT_OK(fetch("lying-length/100000", 100000));
  EXPECT_EQ(sink_.text(), lines(100000));
}

TEST_F(FetchBlob, RefusesARangeFromAnotherPlace) {
  EXPECT_FAILS(fetch("wrong-range/100000", 100000), ErrorCode::integrity, "Content-Range");
}

TEST_F(FetchBlob, KeepsTheBytesAsTheyAre) {
  ASSERT_OK(fetch("gzip/1000", 1000));
  EXPECT_EQ(sink_.text(), lines(1000));
}

TEST_F(FetchBlob, BreaksOffWhatIsTooSlow) {
  builder::FetcherOptions options = fast_options(0);
  options.stall_timeout = std::chrono::seconds(1);
  fetcher_ = make_fetcher(std::move(options), log_);
  EXPECT_FAILS(fetch("slow/10000", 10000), ErrorCode::network, "too slow");
}

TEST_F(FetchBlob, EndsRedirectsWithoutEnd) {
  EXPECT_FAILS(fetch("loop", 10), ErrorCode::unsupported, "more than 10 redirects");
}

TEST_F(FetchBlob, FollowsARedirectButNotToAFile) {
  ASSERT_OK(fetch("to?/ok/1000", 1000));
  EXPECT_EQ(sink_.text(), lines(1000));
  EXPECT_FAILS(fetch("to?file:///etc/hostname", 10), ErrorCode::unsupported, "something else than http");
}

TEST_F(FetchBlob, MapsStatusesAndCutsErrorPagesWithoutEnd) {
  EXPECT_FAILS(fetch("status/404", 10), ErrorCode::not_found, "404");
  EXPECT_FAILS(fetch("status/403", 10), ErrorCode::authentication, "403");
  EXPECT_FAILS(fetch("status/500", 10), ErrorCode::network, "500");
  EXPECT_FAILS(fetch("status/418", 10), ErrorCode::unsupported, "418");
  EXPECT_TRUE(sink_.text().empty());
}

TEST_F(FetchBlob, ReturnsTheErrorOfASinkAtOnce) {
  MemorySink small(100);
  EXPECT_FAILS(fetcher_->fetch_blob(blob_at(server_->url("ok/100000"), 100000), 0, small),
               ErrorCode::integrity, "limit of 100");
  EXPECT_EQ(server_->requests("/ok/100000"), 1U);
}

TEST_F(FetchBlob, GivesWhatIsInTheLockItself) {
  bundle::LockedBlob blob = blob_at("", 5);
  blob.origin.kind = bundle::OriginKind::inlined;
  blob.origin.content = "hello";
  ASSERT_OK(fetcher_->fetch_blob(blob, 2, sink_));
  EXPECT_EQ(sink_.text(), "llo");
}

TEST_F(FetchBlob, StopsWhenTold) {
  std::stop_source stop;
  builder::FetcherOptions options = fast_options();
  options.stop = stop.get_token();
  fetcher_ = make_fetcher(std::move(options), log_);
  std::jthread stopper([&] {
    while (server_->requests("/slow/100000") == 0) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_FAILS(fetch("slow/100000", 100000), ErrorCode::interrupted, "stopped");
}

TEST_F(FetchBlob, RewritesUrlsByMirrorRules) {
  builder::FetcherOptions options = fast_options();
  options.mirrors = {{"https://files.example.com/a/", server_->url("ok")}};
  fetcher_ = make_fetcher(std::move(options), log_);
  ASSERT_OK(fetcher_->fetch_blob(blob_at("https://files.example.com/a/500", 500), 0, sink_));
  EXPECT_EQ(sink_.text(), lines(500));
}

TEST_F(FetchBlob, GoesThroughTheProxyOfTheEnvironmentButNotForExceptions) {
  ::setenv("http_proxy", server_->url("").c_str(), 1);
  ::setenv("no_proxy", "127.0.0.1", 1);
  const auto by_proxy = fetcher_->fetch_document("http://upstream.example/ok/700", 1000);
  const auto directly = fetcher_->fetch_document(server_->url("ok/800"), 1000);
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
  EXPECT_EQ(by_proxy.value_or(""), lines(700));
  EXPECT_EQ(directly.value_or(""), lines(800));
}

TEST_F(FetchBlob, DocumentsAreBoundedAndAbsenceIsNotFound) {
  EXPECT_FAILS(fetcher_->fetch_document(server_->url("ok/1000"), 999), ErrorCode::integrity,
               "longer than the 999");
  EXPECT_FAILS(fetcher_->fetch_document(server_->url("absent"), 999), ErrorCode::not_found, "404");
  EXPECT_EQ(fetcher_->fetch_document(server_->url("ok/999"), 999).value_or(""), lines(999));
}

TEST(Transport, NeverTakesCredentialsToAnotherOrigin) {
  auto first = HostileServer::start();
  auto second = HostileServer::start();
  ASSERT_OK(first);
  ASSERT_OK(second);
  auto transport = net::CurlTransport::create({});
  ASSERT_OK(transport);
  const auto get = [&](const std::string& url) {
    NullSink sink;
    return (*transport)->get({*net::Url::parse(url), {}, net::Secret("Basic c2VjcmV0"), 0, 1000}, sink);
  };
  ASSERT_OK(get((*first)->url("to?" + (*second)->url("ok/10"))));
  EXPECT_EQ((*second)->authorization("/ok/10"), "");
  ASSERT_OK(get((*first)->url("to?" + (*first)->url("ok/10"))));
  EXPECT_EQ((*first)->authorization("/ok/10"), "Basic c2VjcmV0");
}

TEST(Transport, SaysWhenNobodyListens) {
  RecordingLog log;
  auto fetcher = make_fetcher(fast_options(1), log);
  EXPECT_FAILS(fetcher->fetch_document("http://127.0.0.1:1/x", 10), ErrorCode::network, "127.0.0.1:1");
}

TEST(Transport, RefusesACaFileWithoutCertificates) {
  builder::FetcherOptions options = fast_options();
  options.ca_file = "/etc/hostname";
  RecordingLog log;
  EXPECT_FAILS(Fetcher::create(std::move(options), log), ErrorCode::invalid_argument, "no PEM certificate");
}

}  // namespace
}  // namespace sealift::test
