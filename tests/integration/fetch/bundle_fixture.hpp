/// What the tests that lock and create whole bundles share.
#pragma once

#include "builder/create/create_bundle.hpp"
#include "builder/lock/lock_bundle.hpp"
#include "lib/bundle/reader.hpp"
#include "lib/bundle/verify.hpp"
#include "tests/integration/fetch/fixture.hpp"

namespace sealift::test {

/// From bundle.yaml to a verified bundle, with files of the hostile server.
class BundleTest : public UpstreamTest {
 protected:
  void SetUp() override {
    UpstreamTest::SetUp();
    spec_.name = "test";
    spec_.version = "1";
    spec_.platforms = {"linux/amd64"};
  }

  void put(const std::string& path, const std::string& text) {
    ASSERT_OK(write_file_atomically(server_->files() / path, text));
  }
  std::string at(const std::string& path) const { return server_->url("file/" + path); }
  void want(const std::string& url, std::optional<Digest> digest) {
    spec_.files.push_back({url, std::move(digest), "", "", 0644});
  }
  Result<bundle::Lock> lock() { return builder::lock_bundle(spec_, *fetcher_, {".", {}, time_, 4}, log_); }
  /// As `sealift create -o <name>` does with this lock.
  Status create(const bundle::Lock& lock, const std::string& name, unsigned jobs) {
    TRY_ASSIGN(const bundle::Lock read, bundle::parse_lock(bundle::write_lock(lock), "bundle.lock"));
    const builder::CreateInputs inputs{read, signers_, repository_key_ ? &*repository_key_ : nullptr, {}};
    TRY_ASSIGN(const bundle::Plan plan, builder::plan_from_lock(inputs));
    NoProgress progress;
    return builder::create_bundle(inputs, plan, path(name), *fetcher_, jobs, progress, log_);
  }
  /// The content of the file in a bundle that is verified as a whole.
  Result<std::string> verified_file(const std::string& name, const std::string& file) {
    TRY_ASSIGN(auto opened, bundle::BundleFile::open(path(name)));
    TRY_ASSIGN(const auto verified, bundle::verify_head(opened, {{signers_.front().public_key()}, 1}));
    NoProgress progress;
    TRY(bundle::verify_all(*verified, progress, 2, nullptr));
    return opened->read_file(*opened->contents().find_file(file), 64U << 20);
  }
  fs::path path(const std::string& name) const { return directory_.path() / name; }
  static const bundle::LockedBlob& blob_of(const bundle::Lock& lock, const std::string& content) {
    return lock.blobs.at(digest_of(content));
  }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-compress-");
  std::vector<PrivateKey> signers_ = [] {
    std::vector<PrivateKey> keys;
    keys.push_back(*PrivateKey::generate());
    return keys;
  }();
  bundle::Spec spec_;
  Timestamp time_ = *parse_rfc3339("2026-11-21T12:00:00Z");
  std::optional<openpgp::SecretKey> repository_key_;
};

}  // namespace sealift::test
