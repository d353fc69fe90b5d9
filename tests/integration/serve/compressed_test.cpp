// Files stored compressed, fetched by real clients that take zstd and that do not.
#include <thread>

#include "repo-server/mount/verification.hpp"
#include "tests/integration/serve/raw_connection.hpp"
#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class CompressedTest : public ServedBundleTest {
 protected:
  void SetUp() override {
    test::BundleRecipe recipe;
    recipe.compressed("kubelet", content).file("notes.txt", "carried across\n");
    serve(recipe);
  }
  std::string url(const std::string& scheme = "http") const {
    return fmt::format("{}://{}/files/kubelet", scheme, repository());
  }
  std::string expanded(const std::string& file) { return run_client({"zstd", "-q", "-d", "-c", path(file)}); }
  /// A mirror of this process serves a bundle whose kubelet is what `recipe` says, whatever its bytes are.
  void serve_again(const test::BundleRecipe& recipe) {
    mirror.reset();
    fs::remove(bundle_path);
    fs::remove_all(directory.path() / "state");
    serve(recipe);
  }

  const std::string content = test::compressible_text(5'000'001, 11) + random_text(1'000'000, 3);
  const std::string frame = test::zstd_frame(content);
};

TEST_F(CompressedTest, WhoDoesNotAskForZstdGetsTheFile) {
  for (const char* scheme : {"http", "https"}) {
    EXPECT_EQ(status_of({url(scheme)}), "200");
    EXPECT_TRUE(body() == content) << scheme;
    EXPECT_EQ(digest_of(body()), digest_of(content));
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Length: {}\r\n", content.size())));
    EXPECT_THAT(head(), HasSubstr("Vary: Accept-Encoding\r\n"));
    EXPECT_THAT(head(), HasSubstr(fmt::format("ETag: \"{}\"\r\n", digest_of(content).str())));
    EXPECT_THAT(head(), Not(HasSubstr("Content-Encoding")));
  }
  EXPECT_EQ(status_of({"-H", "Accept-Encoding: gzip, zstd;q=0, *", url()}), "200");
  EXPECT_TRUE(body() == content);
}

TEST_F(CompressedTest, WhoAsksForZstdGetsTheStoredBytes) {
  for (const char* scheme : {"http", "https"}) {
    EXPECT_EQ(status_of({"-H", "Accept-Encoding: gzip, zstd", url(scheme)}), "200");
    EXPECT_TRUE(body() == frame) << scheme;
    EXPECT_TRUE(expanded("body") == content) << scheme;
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Length: {}\r\n", frame.size())));
    EXPECT_THAT(head(), HasSubstr("Content-Encoding: zstd\r\n"));
    EXPECT_THAT(head(), HasSubstr("Vary: Accept-Encoding\r\n"));
    EXPECT_THAT(head(), HasSubstr(fmt::format("ETag: \"{}\"\r\n", digest_of(frame).str())));
  }
}

TEST_F(CompressedTest, HeadSaysWhatGetSays) {
  const auto without_date = [](std::string text) {
    const std::size_t from = text.find("Date:");
    return text.erase(from, text.find('\n', from) - from);
  };
  for (const char* accepted : {"identity", "zstd"}) {
    const std::string header = fmt::format("Accept-Encoding: {}", accepted);
    EXPECT_EQ(status_of({"-H", header, url()}), "200");
    const std::string of_get = without_date(head());
    EXPECT_EQ(status_of({"-I", "-H", header, url()}), "200");
    EXPECT_EQ(without_date(head()), of_get);
  }
}

TEST_F(CompressedTest, RangesCountTheBytesOfTheFormTheyAreOf) {
  for (const char* scheme : {"http", "https"}) {
    EXPECT_EQ(status_of({"-r", "3000000-3199999", url(scheme)}), "206");
    EXPECT_TRUE(body() == content.substr(3000000, 200000));
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Range: bytes 3000000-3199999/{}", content.size())));
    EXPECT_EQ(status_of({"-r", "-5", url(scheme)}), "206");
    EXPECT_TRUE(body() == content.substr(content.size() - 5));
    EXPECT_EQ(status_of({"-r", fmt::format("{}-", content.size()), url(scheme)}), "416");
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Range: bytes */{}", content.size())));
    EXPECT_EQ(status_of({"-r", "100-199", "-H", "Accept-Encoding: zstd", url(scheme)}), "206");
    EXPECT_TRUE(body() == frame.substr(100, 100));
    EXPECT_THAT(head(), HasSubstr(fmt::format("Content-Range: bytes 100-199/{}", frame.size())));
  }
}

TEST_F(CompressedTest, BrokenDownloadsGoOn) {
  ASSERT_TRUE(write_file_atomically(path("body"), content.substr(0, 1234567)));
  EXPECT_EQ(run_client({"curl", "-sS", "-C", "-", "-o", path("body"), "-w", "%{http_code}", url()}), "206");
  EXPECT_TRUE(body() == content);
  ASSERT_TRUE(write_file_atomically(path("body"), frame.substr(0, 100'000)));
  EXPECT_EQ(run_client({"curl", "-sS", "-C", "-", "-H", "Accept-Encoding: zstd", "-o", path("body"), "-w",
                        "%{http_code}", url()}),
            "206");
  EXPECT_TRUE(body() == frame);
}

TEST_F(CompressedTest, EachFormIsRevalidatedByItself) {
  const std::string of_content = fmt::format("If-None-Match: \"{}\"", digest_of(content).str());
  const std::string of_frame = fmt::format("If-None-Match: \"{}\"", digest_of(frame).str());
  EXPECT_EQ(status_of({"-H", of_content, url()}), "304");
  EXPECT_THAT(head(), HasSubstr("Vary: Accept-Encoding\r\n"));
  EXPECT_EQ(status_of({"-H", of_frame, url()}), "200");
  EXPECT_EQ(status_of({"-H", of_frame, "-H", "Accept-Encoding: zstd", url()}), "304");
  EXPECT_EQ(status_of({"-H", of_content, "-H", "Accept-Encoding: zstd", url()}), "200");
}

TEST_F(CompressedTest, ConnectionsStayOpenBetweenFiles) {
  const std::string out =
      run_client({"curl", "-sS", url(), "-o", path("body"),
                  fmt::format("http://{}/files/notes.txt", repository()), "-w", "[%{num_connects}]"});
  EXPECT_EQ(out, "[1]carried across\n[0]");
}

TEST_F(CompressedTest, ManyAtOnceGetTheRightBytes) {
  std::vector<std::string> arguments = {"curl",
                                        "-sS",
                                        "--cacert",
                                        path("ca.crt"),
                                        "--parallel",
                                        "--parallel-max",
                                        "20",
                                        "--parallel-immediate",
                                        "--no-progress-meter"};
  for (int i = 0; i < 20; ++i) {
    arguments.insert(arguments.end(),
                     {url(i % 2 == 0 ? "http" : "https"), "-o", path(fmt::format("copy{}", i))});
  }
  run_client(arguments);
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(*read_file(path(fmt::format("copy{}", i)), 64U << 20) == content) << i;
}

TEST_F(CompressedTest, AReaderThatStandsStillDoesNotHoldUpOthers) {
  // It asks and takes nothing; others on the same worker are answered meanwhile; then it gets all of its
  // file.
  options.limits.threads = 1;
  start();
  const std::string script =
      "exec 3<>/dev/tcp/${3%:*}/${3#*:}; printf 'GET /files/kubelet HTTP/1.0\\r\\n\\r\\n' >&3; "
      "for i in 1 2 3; do curl -sS --max-time 20 -o \"$2\" \"$4\" || exit 1; done; cat <&3 >\"$1\"";
  run_client({"bash", "-c", script, "bash", path("still"), path("body"), repository(), url()});
  EXPECT_TRUE(body() == content);
  EXPECT_TRUE(read_file(path("still"), 64U << 20)->ends_with("\r\n\r\n" + content));
}

TEST_F(CompressedTest, AllThreadsTogetherDecompressOnlySoMuch) {
  run_client({"curl", "-sS", "-o", path("body"), url()});  // the blob is checked now
  options.limits.threads = 4;
  options.limits.expanding = 1;
  start();
  const std::string request = "GET /files/kubelet HTTP/1.1\r\nHost: h\r\n\r\n";
  auto still = std::make_unique<RawConnection>(mirror->repository_port());
  still->send(request);
  char first = 0;
  ASSERT_EQ(::recv(still->fd(), &first, 1, 0), 1);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(status_of({url()}), "503") << i;
  EXPECT_THAT(head(), HasSubstr("Retry-After: 10\r\n"));
  EXPECT_EQ(status_of({"-H", "Accept-Encoding: zstd", url()}), "200");
  EXPECT_EQ(status_of({"-I", url()}), "200");
  still.reset();
  for (int i = 0; i < 100 && status_of({url()}) != "200"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(body() == content);
}

TEST_F(CompressedTest, NothingIsDecompressedForAClientThatIsGone) {
  run_client({"curl", "-sS", "-o", path("body"), url()});  // the blob is checked now
  RawConnection(mirror->repository_port())
      .send_and_close("GET /files/kubelet HTTP/1.1\r\nHost: h\r\nRange: bytes=-5\r\n\r\n");
  for (int i = 0; i < 100 && read_file(path("access.log"), 1U << 20)->find(" 206 ") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(access_log(), HasSubstr("\"GET /files/kubelet\" 206 0 "));
}

TEST_F(CompressedTest, WhatDoesNotBecomeTheFileIsNeverServed) {
  // Signed like this: the blob is intact, but it compresses another file.
  const std::string other = test::compressible_text(300'000, 12);
  test::BundleRecipe recipe;
  recipe.compressed("kubelet", content).replace_stored(digest_of(content), test::zstd_frame(other));
  serve_again(recipe);
  EXPECT_EQ(status_of({url()}), "500");
  EXPECT_THAT(body(), HasSubstr("not the zstd frame"));
}

TEST_F(CompressedTest, AStreamThatTurnsOutDamagedIsCutShortAndLogged) {
  // The record of an earlier full verification is believed: this bundle was never read since, and its frame
  // lies about its end.
  std::string damaged = frame;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  test::BundleRecipe recipe;
  recipe.compressed("kubelet", content);
  recipe.replace_stored(digest_of(content), damaged);
  options.verify_in_background = false;
  serve_again(recipe);
  const auto file = bundle::BundleFile::open(bundle_path);
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_verification_record(*options.state_directory, **file));
  start();
  const auto output = run({{"curl", "-sS", "-o", path("body"), url()}});
  EXPECT_EQ(output->exit_code, 18) << output->err;  // closed with data outstanding
  EXPECT_LT(body().size(), content.size());
  EXPECT_TRUE(content.starts_with(body()));
  EXPECT_THAT(access_log(), HasSubstr("error=\"the stored file: not the zstd frame of"));
}

}  // namespace
}  // namespace sealift::repo_server
