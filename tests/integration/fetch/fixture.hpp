/// What the tests of fetching share.
#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/fetch/fetcher.hpp"
#include "builder/resolve/resolve.hpp"
#include "tests/integration/fetch/servers.hpp"

#define ASSERT_OK(result)                                \
  do {                                                   \
    auto&& outcome_ = (result);                          \
    ASSERT_TRUE(outcome_) << outcome_.error().message(); \
  } while (false)
#define EXPECT_FAILS(result, expected_code, part)                                    \
  do {                                                                               \
    auto&& outcome_ = (result);                                                      \
    ASSERT_FALSE(outcome_);                                                          \
    EXPECT_EQ(outcome_.error().code(), expected_code) << outcome_.error().message(); \
    EXPECT_THAT(outcome_.error().message(), testing::HasSubstr(part));               \
  } while (false)

namespace sealift::test {

/// Keeps what is logged.
class RecordingLog final : public Log {
 public:
  RecordingLog() : Log(LogLevel::debug) {}
  bool has(std::string_view text) const { return text_.find(text) != std::string::npos; }
  const std::string& text() const { return text_; }

 protected:
  void write(LogLevel, std::string_view line) override { text_.append(line).append("\n"); }

 private:
  std::string text_;
};

/// Fast retries, nothing of this machine's own logins.
inline builder::FetcherOptions fast_options(unsigned retries = 4) {
  builder::FetcherOptions options;
  options.retry = {retries, std::chrono::milliseconds(1), std::chrono::milliseconds(5)};
  options.authfile = "/dev/null";
  options.connect_timeout = std::chrono::seconds(5);
  return options;
}

inline std::unique_ptr<builder::Fetcher> make_fetcher(builder::FetcherOptions options, Log& log) {
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
  auto fetcher = builder::Fetcher::create(std::move(options), log);
  EXPECT_TRUE(fetcher) << (fetcher ? "" : fetcher.error().message());
  return fetcher ? std::move(*fetcher) : nullptr;
}

/// The hostile server's content of that size.
inline std::string lines(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += fmt::format("{:015}\n", i);
  text.resize(size);
  return text;
}

/// The blob at a URL of the hostile server, as if locked when that served its content properly.
inline bundle::LockedBlob blob_at(const std::string& url, std::size_t size) {
  bundle::Origin origin;
  origin.kind = bundle::OriginKind::url;
  origin.url = url;
  return {digest_of(lines(size)), size, "application/octet-stream", std::move(origin)};
}

/// A hostile server and a fetcher of fast retries; with another fetcher where a test replaces it.
class UpstreamTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = HostileServer::start();
    ASSERT_OK(server);
    server_ = std::move(*server);
    use(fast_options());
  }
  void use(builder::FetcherOptions options) {
    fetcher_ = make_fetcher(std::move(options), log_);
    ASSERT_TRUE(fetcher_);
  }

  RecordingLog log_;
  std::unique_ptr<HostileServer> server_;
  std::unique_ptr<builder::Fetcher> fetcher_;
};

}  // namespace sealift::test
