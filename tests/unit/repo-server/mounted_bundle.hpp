/// A small real bundle, verified and mounted, for tests of the handlers.
#pragma once

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "lib/base/log.hpp"
#include "repo-server/mount/content_loader.hpp"
#include "repo-server/mount/overlay.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::repo_server {

/// Keeps what is logged.
class RecordingLog final : public Log {
 public:
  std::string text;

 protected:
  void write(LogLevel, std::string_view line) override { text.append(line).append("\n"); }
};

inline std::shared_ptr<const bundle::VerifiedBundle> open_verified(const fs::path& path,
                                                                   const PrivateKey& key) {
  bundle::TrustPolicy policy;
  policy.keys.push_back(key.public_key());
  auto file = bundle::BundleFile::open(path);
  EXPECT_TRUE(file) << file.error().message();
  auto verified = bundle::verify_head(*file, policy);
  EXPECT_TRUE(verified) << verified.error().message();
  return *verified;
}

/// Waits for a callback of the loader.
class Waiter {
 public:
  std::function<void(Status)> callback() {
    return [this](Status status) {
      const std::lock_guard lock(mutex_);
      status_ = std::move(status);
      done_ = true;
      wake_.notify_all();
    };
  }
  Status wait() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return done_; });
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  Status status_;
};

/// As the server does: awaits what has to be prepared and asks again.
inline http::Response ask(const http::Handler& handler, const http::Request& request) {
  http::Response response = handler.handle(request);
  for (int i = 0; i < 3 && response.prepare; ++i) {
    Waiter waiter;
    response.prepare(waiter.callback());
    const Status status = waiter.wait();
    response = status ? handler.handle(request) : handler.failure(request, status.error());
  }
  EXPECT_FALSE(response.prepare);
  return response;
}

inline http::Request get(const std::string& path, const std::string& query = "") {
  http::Request request;
  request.method_name = "GET";
  request.target = query.empty() ? path : path + "?" + query;
  request.path = path;
  request.query = query;
  request.host = "10.0.0.1:5000";
  return request;
}

inline std::string body_of(const http::Response& response) {
  if (response.shared_body) return *response.shared_body;
  if (!response.file) return response.body;
  std::string text(response.file->size, '\0');
  EXPECT_EQ(pread(response.file->file->descriptor(), text.data(), text.size(),
                  static_cast<off_t>(response.file->offset)),
            static_cast<ssize_t>(text.size()));
  return text;
}

class MountedBundleTest : public testing::Test {
 protected:
  void mount(const std::vector<const test::BundleRecipe*>& recipes) {
    Overlay::Bundles bundles;
    for (const auto* recipe : recipes) {
      paths.push_back(directory.path() / fmt::format("{}.tar", paths.size()));
      const Status written = recipe->write(paths.back(), {&key});
      ASSERT_TRUE(written) << written.error().message();
      bundles.push_back(std::make_shared<const MountedBundle>(open_verified(paths.back(), key), log));
    }
    auto mounted = Overlay::mount(std::move(bundles));
    ASSERT_TRUE(mounted) << mounted.error().message();
    overlay = std::move(*mounted);
  }

  TemporaryDirectory directory = *TemporaryDirectory::create("mounted");
  PrivateKey key = *PrivateKey::generate();
  std::vector<fs::path> paths;
  RecordingLog log;
  Overlay overlay;
  ContentLoader loader{2, 1U << 20};
};

}  // namespace sealift::repo_server
