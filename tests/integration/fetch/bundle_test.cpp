// From bundle.yaml to a finished bundle: what is refused on the way, and what a second run does.
#include "tests/integration/fetch/bundle_fixture.hpp"

namespace sealift::test {
namespace {

bundle::PackageSetSpec package_set(const std::string& url) {
  bundle::PackageSetSpec set;
  set.target = "debian-12";
  set.repositories.push_back({url, {"bookworm"}, {"main"}, "/nowhere.gpg"});
  set.install = {"socat"};
  return set;
}

TEST_F(BundleTest, TheLoginOfAnAptRepositoryDoesNotGetIntoTheLock) {
  spec_.package_sets = {package_set("http://me:hunter2@" + server_->host() + "/debian")};
  EXPECT_FAILS(lock(), ErrorCode::invalid_argument, "package set debian-12: http://***@");
  spec_.package_sets = {package_set(server_->url("debian?token=hunter2"))};
  EXPECT_FAILS(lock(), ErrorCode::invalid_argument, "--mirrors");
  EXPECT_FALSE(log_.has("hunter2"));
}

TEST_F(BundleTest, AMirrorRuleCarriesTheLoginOfAnAptRepository) {
  put("InRelease", "signed");
  builder::FetcherOptions options = fast_options(1);
  options.mirrors = {{"https://apt.example.com/", "http://me:hunter%402@" + server_->host() + "/file/"}};
  use(std::move(options));
  const auto document = fetcher_->fetch_document("https://apt.example.com/InRelease", 100);
  ASSERT_OK(document);
  EXPECT_EQ(*document, "signed");
  EXPECT_EQ(server_->authorization("/file/InRelease"), "Basic " + to_base64(as_bytes("me:hunter@2")));
  EXPECT_FAILS(fetcher_->fetch_document("https://apt.example.com/absent", 100), ErrorCode::not_found, "***@");
  EXPECT_FALSE(log_.has("hunter"));
}

TEST_F(BundleTest, TheLoginOfAMirrorRuleFollowsRedirectsWithinItsOriginOnly) {
  put("near", "near");
  auto elsewhere = HostileServer::start();
  ASSERT_OK(elsewhere);
  ASSERT_OK(write_file_atomically((*elsewhere)->files() / "far", "far"));
  builder::FetcherOptions options = fast_options(0);
  options.mirrors = {{"https://apt.example.com/", "http://me:hunter2@" + server_->host() + "/"}};
  use(std::move(options));
  ASSERT_OK(fetcher_->fetch_document("https://apt.example.com/to?/file/near", 100));
  EXPECT_EQ(server_->authorization("/file/near"), "Basic " + to_base64(as_bytes("me:hunter2")));
  ASSERT_OK(fetcher_->fetch_document("https://apt.example.com/to?" + (*elsewhere)->url("file/far"), 100));
  EXPECT_EQ((*elsewhere)->authorization("/file/far"), "");
}

TEST_F(BundleTest, CreateRefusesALockWithALogin) {
  put("a", "content of a");
  want(at("a"), digest_of("content of a"));
  auto locked = lock();
  ASSERT_OK(locked);
  bundle::Origin& origin = locked->blobs.begin()->second.origin;
  const std::string plain = origin.url;
  origin.url = "http://me:hunter2@" + server_->host() + "/file/a";
  EXPECT_FAILS(create(*locked, "x.tar", 1), ErrorCode::invalid_argument, "***@");
  origin.url = plain;
  origin.evidence = {"openpgp http://me:hunter2@h/InRelease ABCD"};
  EXPECT_FAILS(create(*locked, "x.tar", 1), ErrorCode::invalid_argument, "the lock's blob sha256:");
}

TEST_F(BundleTest, CreateAddsTheSignaturesThatAFinishedBundleLacks) {
  put("a", "content of a");
  want(at("a"), digest_of("content of a"));
  const auto locked = lock();
  ASSERT_OK(locked);
  ASSERT_OK(create(*locked, "x.tar", 1));
  const std::string first = *read_file(path("x.tar"), 1U << 20);
  fs::create_hard_link(path("x.tar"), path("x.tar.partial"));
  ASSERT_OK(create(*locked, "x.tar", 1));
  EXPECT_TRUE(log_.has("x.tar is complete already"));
  EXPECT_EQ(*read_file(path("x.tar"), 1U << 20), first);
  EXPECT_FALSE(fs::exists(path("x.tar.partial")));

  signers_.push_back(*PrivateKey::generate());
  ASSERT_OK(create(*locked, "x.tar", 1));
  EXPECT_TRUE(log_.has("it has 2 now"));
  const bundle::TrustPolicy both{{signers_[0].public_key(), signers_[1].public_key()}, 2};
  const auto verified = bundle::open_verified(path("x.tar"), both);
  ASSERT_OK(verified);
  NoProgress progress;
  ASSERT_OK(bundle::verify_all(**verified, progress, 1, nullptr));
}

}  // namespace
}  // namespace sealift::test
