/// A bundle that changes under the server that serves it.
#include <atomic>
#include <thread>

#include "lib/bundle/sign.hpp"
#include "lib/crypto/certificate.hpp"
#include "tests/integration/serve/raw_connection.hpp"
#include "tests/integration/serve/served_bundle.hpp"

namespace sealift::repo_server {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// Of a bundle in /readyz.
constexpr const char* kCompleteUnread = "\"complete\",[ \n]*\"bytesDone\": 0,";

class RemountTest : public ServedBundleTest {
 protected:
  void SetUp() override { serve(recipe_with_images()); }

  /// A second bundle, served on top of the first.
  void add_site_bundle() {
    test::BundleRecipe site;
    site.file("site.txt", "the site's own\n");
    ASSERT_TRUE(site.write(path("site.tar"), {&key}));
    options.bundles.push_back(path("site.tar"));
    start();
  }
  void countersign(const fs::path& bundle) {
    const auto file = bundle::BundleFile::open(bundle);
    ASSERT_TRUE(file) << file.error().message();
    const auto colleague = PrivateKey::generate();
    ASSERT_TRUE(bundle::sign_in_place(**file, std::span(&*colleague, 1)));
  }
  std::string fingerprint() {
    return run_client({"sh", "-c",
                       "openssl s_client -connect " + registry() +
                           " </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"});
  }
  std::string status_of_path(const std::string& path) { return status_of({"http://" + repository() + path}); }
};

TEST_F(RemountTest, ServesABundleThatWasSignedOnceMore) {
  EXPECT_TRUE(mirror->is_untouched());
  EXPECT_EQ(status_of_path("/files/notes.txt"), "200");
  const std::uint16_t port = mirror->repository_port();
  countersign(bundle_path);
  EXPECT_FALSE(mirror->is_untouched());
  EXPECT_EQ(status_of_path("/files/notes.txt"), "503");
  const Status remounted = mirror->remount();
  ASSERT_TRUE(remounted) << remounted.error().message();
  EXPECT_TRUE(mirror->is_untouched());
  EXPECT_EQ(mirror->repository_port(), port);
  EXPECT_EQ(status_of_path("/files/notes.txt"), "200");
  EXPECT_EQ(status_of({"http://" + registry() + "/v2/registry.k8s.io/pause/manifests/3.10"}), "200");
  EXPECT_EQ(status_of({"https://" + registry() + "/v2/"}), "200");
  EXPECT_EQ(status_of_path("/readyz"), "200");
}

TEST_F(RemountTest, ServesWhatWasWrittenOverItOnlyWhenATrustedKeySignedIt) {
  const auto write_over = [&](const PrivateKey& signer, const std::string& content) {
    test::BundleRecipe recipe;
    recipe.file("notes.txt", content);
    fs::remove(path("next.tar"));
    ASSERT_TRUE(recipe.write(path("next.tar"), {&signer}));
    fs::copy_file(path("next.tar"), bundle_path, fs::copy_options::overwrite_existing);
  };
  write_over(*PrivateKey::generate(), "a stranger's\n");
  EXPECT_FALSE(mirror->is_untouched());
  const Status remounted = mirror->remount();
  ASSERT_FALSE(remounted);
  EXPECT_THAT(remounted.error().message(), HasSubstr(bundle_path.string()));
  EXPECT_EQ(status_of_path("/files/notes.txt"), "503");
  EXPECT_EQ(status_of_path("/readyz"), "503");
  EXPECT_EQ(status_of_path("/healthz"), "200");

  write_over(key, "of another day\n");
  ASSERT_TRUE(mirror->remount());
  EXPECT_EQ(status_of_path("/files/notes.txt"), "200");
  EXPECT_EQ(body(), "of another day\n");
  EXPECT_EQ(status_of_path("/files/big.bin"), "404");
}

TEST_F(RemountTest, ServesTheOpenFileUntilWhatTookItsNameIsVerified) {
  fs::remove(bundle_path);
  EXPECT_FALSE(mirror->is_untouched());
  const Status gone = mirror->remount();
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message(), HasSubstr(bundle_path.string()));
  EXPECT_EQ(status_of_path("/files/notes.txt"), "200");
  EXPECT_EQ(body(), "carried across\n");

  test::BundleRecipe next;
  next.file("notes.txt", "of another day\n");
  ASSERT_TRUE(next.write(bundle_path, {&key}));
  ASSERT_TRUE(mirror->remount());
  EXPECT_EQ(status_of_path("/files/notes.txt"), "200");
  EXPECT_EQ(body(), "of another day\n");
}

TEST_F(RemountTest, MountsWhatIsGoodBesideWhatIsNot) {
  add_site_bundle();
  fs::resize_file(path("site.tar"), 4096);
  countersign(bundle_path);
  EXPECT_EQ(status_of_path("/files/notes.txt"), "503");
  const Status remounted = mirror->remount();
  ASSERT_FALSE(remounted);
  EXPECT_THAT(remounted.error().message(), HasSubstr("site.tar"));
  EXPECT_EQ(status_of_path("/files/notes.txt"), "200");
  EXPECT_EQ(status_of_path("/files/site.txt"), "503");
}

TEST_F(RemountTest, ReadsOnlyTheChangedBundleAgain) {
  add_site_bundle();
  const auto verified = [&] {
    EXPECT_EQ(status_of_path("/readyz"), "200");
    return body().find("\"verified\": true") != std::string::npos;
  };
  for (int i = 0; i < 200 && !verified(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_TRUE(verified());
  EXPECT_THAT(body(), Not(ContainsRegex(kCompleteUnread)));
  countersign(path("site.tar"));
  ASSERT_TRUE(mirror->remount());
  EXPECT_EQ(status_of_path("/readyz"), "200");
  EXPECT_THAT(body(), ContainsRegex(kCompleteUnread));
}

TEST_F(RemountTest, RenewsItsCertificateInTime) {
  const std::string first = fingerprint();
  ASSERT_TRUE(mirror->renew_certificate(now()));
  EXPECT_EQ(fingerprint(), first);
  const Status renewed = mirror->renew_certificate(now() + std::chrono::days(380));
  ASSERT_TRUE(renewed) << renewed.error().message();
  EXPECT_NE(fingerprint(), first);
}

TEST_F(RemountTest, TakesAReplacedGivenCertificateAndWarnsBeforeItEnds) {
  const auto give = [&] {
    const auto authority = create_authority("the site's own", now());
    const auto server = issue_server_certificate(*authority, {{}, {"127.0.0.1"}}, now());
    ASSERT_TRUE(write_file_atomically(path("given.crt"), server->certificate_pem));
    ASSERT_TRUE(write_file_atomically(path("given.key"), server->key_pem, 0600));
  };
  const auto renew = [&](std::chrono::days later) {
    testing::internal::CaptureStderr();
    const Status renewed = mirror->renew_certificate(now() + later);
    const std::string logged = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(renewed) << renewed.error().message();
    return logged;
  };
  give();
  options.tls_certificate = path("given.crt");
  options.tls_key = path("given.key");
  start();
  EXPECT_EQ(renew(std::chrono::days(360)), "");
  EXPECT_THAT(renew(std::chrono::days(380)), HasSubstr(path("given.crt") + ": the certificate expires at "));
  const std::string first = fingerprint();
  give();
  EXPECT_EQ(renew(std::chrono::days(1)), "");
  EXPECT_NE(fingerprint(), first);
}

TEST_F(RemountTest, KeepsSendingWhatAnotherBundleHolds) {
  add_site_bundle();
  const RawConnection busy(mirror->repository_port());
  busy.send("GET /files/big.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  char first = 0;
  ASSERT_EQ(::recv(busy.fd(), &first, 1, 0), 1);
  countersign(path("site.tar"));
  std::string rest;
  std::thread reader([&] { rest = busy.read_all(); });
  const Status remounted = mirror->remount();
  reader.join();
  EXPECT_TRUE(remounted) << remounted.error().message();
  EXPECT_THAT(rest, EndsWith(big.substr(kBigBytes - 1000)));
  EXPECT_EQ(status_of_path("/files/site.txt"), "200");
}

TEST_F(RemountTest, AnswersEveryRequestMeanwhile) {
  options.state_directory.reset();  // so that what is asked for has to be checked each time
  start();
  std::atomic<bool> done = false;
  std::atomic<int> whole = 0;
  std::atomic<int> broken = 0;
  std::thread client([&] {
    while (!done) {
      const std::string answer =
          RawConnection(mirror->repository_port())
              .ask("GET /files/big.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      ++(answer.starts_with("HTTP/1.1 200") && answer.ends_with(big) ? whole : broken);
    }
  });
  for (int i = 0; i < 30; ++i) {
    // One change for each request: the server asks for a blob a few times only.
    const int before = whole + broken;
    while (whole + broken == before) std::this_thread::yield();
    // Another mode, the same content: opened and checked anew.
    fs::permissions(bundle_path, i % 2 == 0 ? fs::perms::owner_read : fs::perms::owner_all);
    EXPECT_FALSE(mirror->is_untouched());
    EXPECT_TRUE(mirror->remount());
  }
  done = true;
  client.join();
  EXPECT_GT(whole, 0);
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace sealift::repo_server
