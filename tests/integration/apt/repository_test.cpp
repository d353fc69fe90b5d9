#include <algorithm>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/apt/upstream_fixture.hpp"

namespace sealift::test {
namespace {

using testing::HasSubstr;
using testing::Not;

openpgp::SecretKey new_key(openpgp::KeyAlgorithm algorithm, Timestamp created) {
  auto key = openpgp::SecretKey::generate(algorithm, "Sealift test <test@example.com>", created);
  EXPECT_TRUE(key) << key.error().message();
  return std::move(*key);
}

std::string our_source(const fs::path& root, const std::string& keyring) {
  return fmt::format("deb [signed-by={}] file:{}/apt/debian stable main\n", (root / keyring).string(),
                     root.string());
}

/// A small real set on a minimal machine, its repository on disk, and apt pointed at nothing else.
class GeneratedRepository : public UpstreamTest {
 protected:
  void SetUp() override {
    UpstreamTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto minimal = minimal_system(repositories_);
    ASSERT_TRUE(minimal) << minimal.error().message();
    status_ = minimal->status;
    auto resolved = builder::resolve_package_set(spec(file("status", status_), kSmallSet), context());
    ASSERT_TRUE(resolved) << resolved.error().message();
    resolved_ = std::move(*resolved);
    root_ = directory_->path() / "root";
  }

  void write(openpgp::KeyAlgorithm algorithm = openpgp::KeyAlgorithm::ed25519) {
    key_ = std::make_unique<openpgp::SecretKey>(new_key(algorithm, now() - std::chrono::hours(1)));
    const auto written = write_repository(resolved_, *key_, now() - std::chrono::minutes(1), root_);
    ASSERT_TRUE(written) << written.error().message();
  }

  AptClient apt(const std::string& keyring = "keys/repository.gpg") {
    auto client = AptClient::create(status_, our_source(root_, keyring), machine_architecture());
    EXPECT_TRUE(client) << client.error().message();
    return std::move(*client);
  }

  fs::path dists(const std::string& path) const { return root_ / "apt/debian/dists/stable" / path; }
  std::string read(const fs::path& path) const { return read_file(path, 64U << 20).value_or("unreadable"); }

  inline static const std::vector<std::string> kSmallSet{"socat", "conntrack", "ipset"};
  std::string status_;
  builder::ResolvedPackageSet resolved_;
  fs::path root_;
  std::unique_ptr<openpgp::SecretKey> key_;
};

class EveryKey : public GeneratedRepository,
                 public testing::WithParamInterface<std::tuple<openpgp::KeyAlgorithm, const char*>> {};

TEST_P(EveryKey, IsAcceptedByApt) {
  const auto [algorithm, keyring] = GetParam();
  write(algorithm);
  const AptClient client = apt(keyring);
  const auto update = client.get({"update", "-o", "Acquire::AllowInsecureRepositories=false"});
  ASSERT_TRUE(update.ok()) << update.out << update.err;
  EXPECT_THAT(update.err, Not(HasSubstr("W:"))) << update.err;

  std::vector<std::string> arguments{"--simulate", "install"};
  arguments.insert(arguments.end(), kSmallSet.begin(), kSmallSet.end());
  const auto simulated = client.get(arguments);
  ASSERT_TRUE(simulated.ok()) << simulated.out << simulated.err;
  EXPECT_EQ(simulated_installs(simulated.out), versions_of(resolved_.set));
}

INSTANTIATE_TEST_SUITE_P(Keys, EveryKey,
                         testing::Combine(testing::Values(openpgp::KeyAlgorithm::ed25519,
                                                          openpgp::KeyAlgorithm::rsa4096),
                                          testing::Values("keys/repository.gpg", "keys/repository.asc")));

TEST_F(GeneratedRepository, GivesTheVeryPackagesThatWereLocked) {
  write();
  const AptClient client = apt();
  ASSERT_TRUE(client.get({"update"}).ok());
  std::vector<std::string> arguments{"download"};
  for (const auto& package : resolved_.set.packages) arguments.push_back(package.name);
  const auto downloaded = client.get(arguments);
  ASSERT_TRUE(downloaded.ok()) << downloaded.err;
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator(client.directory())) {
    if (entry.path().extension() != ".deb") continue;
    const Digest digest = digest_of(read(entry.path()));
    EXPECT_TRUE(std::any_of(resolved_.blobs.begin(), resolved_.blobs.end(), [&](const auto& blob) {
      return blob.digest == digest;
    })) << entry.path();
    ++found;
  }
  EXPECT_EQ(found, resolved_.set.packages.size());
}

TEST_F(GeneratedRepository, IsVerifiedByGpgvInBothForms) {
  write();
  Command inline_form;
  inline_form.arguments = {"gpgv", "--keyring", (root_ / "keys/repository.gpg").string(),
                           dists("InRelease").string()};
  const auto checked = run_checked(inline_form);
  EXPECT_TRUE(checked) << checked.error().message();
  Command detached;
  detached.arguments = {"gpgv", "--keyring", (root_ / "keys/repository.gpg").string(),
                        dists("Release.gpg").string(), dists("Release").string()};
  const auto detached_checked = run_checked(detached);
  EXPECT_TRUE(detached_checked) << detached_checked.error().message();
}

TEST_F(GeneratedRepository, IsRefusedByAptUnderAnotherKey) {
  write();
  const auto stranger = new_key(openpgp::KeyAlgorithm::ed25519, now());
  ASSERT_TRUE(write_file_atomically(root_ / "keys/stranger.gpg", stranger.public_key()));
  const auto update = apt("keys/stranger.gpg").get({"update"});
  EXPECT_FALSE(update.ok());
  EXPECT_THAT(update.err, HasSubstr("NO_PUBKEY"));
}

TEST_F(GeneratedRepository, IsRefusedByAptWhenTheReleaseWasChanged) {
  write();
  for (const char* name : {"InRelease", "Release"}) {
    std::string text = read(dists(name));
    const auto at = text.find("Label: Sealift");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, 14, "Label: Evilift");
    ASSERT_TRUE(write_file_atomically(dists(name), text));
  }
  const auto update = apt().get({"update"});
  EXPECT_FALSE(update.ok());
  EXPECT_THAT(update.err, HasSubstr("BADSIG"));
}

TEST_F(GeneratedRepository, IsRefusedByAptWhenPackagesWereChanged) {
  write();
  // In every form and under every alias, without touching the digests that are signed.
  for (const auto& entry : fs::recursive_directory_iterator(dists("main"))) {
    if (!entry.is_regular_file()) continue;
    std::string text = read(entry.path());
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    ASSERT_TRUE(write_file_atomically(entry.path(), text));
  }
  const auto update = apt().get({"update"});
  EXPECT_FALSE(update.ok());
  EXPECT_THAT(update.err, HasSubstr("Hash Sum mismatch"));
}

TEST_F(GeneratedRepository, ADebThatWasChangedIsRefusedByApt) {
  write();
  const AptClient client = apt();
  ASSERT_TRUE(client.get({"update"}).ok());
  const fs::path deb = root_ / "apt/debian" / resolved_.set.packages.front().filename;
  std::string content = read(deb);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  ASSERT_TRUE(write_file_atomically(deb, content));
  const auto downloaded = client.get({"download", resolved_.set.packages.front().name});
  EXPECT_FALSE(downloaded.ok());
  EXPECT_THAT(downloaded.err, HasSubstr("Hash Sum mismatch"));
}

/// The same machine as it was when its release came out: no package has had an update.
std::string without_updates(const std::string& status) {
  return std::regex_replace(status, std::regex("\\+deb[0-9]+u[0-9]+"), "");
}

class OldMachine : public GeneratedRepository {
 protected:
  /// perl and the perl-base of every machine keep step.
  inline static const std::vector<std::string> kWithPerl{"perl", "nginx", "containerd", "keepalived",
                                                         "chrony"};

  /// What apt says on the old machine about packages locked with that baseline.
  CommandOutput install_on_old_machine(const std::string& baseline) {
    const auto resolved = builder::resolve_package_set(spec(baseline, kWithPerl), context());
    EXPECT_TRUE(resolved) << resolved.error().message();
    if (!resolved) return {255, "", ""};
    const auto key = new_key(openpgp::KeyAlgorithm::ed25519, now() - std::chrono::hours(1));
    const auto files = builder::generate_repository(resolved->set, blobs_of(*resolved),
                                                    now() - std::chrono::minutes(1), key);
    EXPECT_TRUE(files);
    for (const auto& file : *files) {
      EXPECT_TRUE(sealift::create_directories((root_ / file.path).parent_path()));
      EXPECT_TRUE(write_file_atomically(root_ / file.path, file.content));
    }
    EXPECT_TRUE(sealift::create_directories(root_ / "keys"));
    EXPECT_TRUE(write_file_atomically(root_ / "keys/repository.gpg", key.public_key()));
    const auto client = AptClient::create(without_updates(status_), our_source(root_, "keys/repository.gpg"),
                                          machine_architecture());
    EXPECT_TRUE(client && client->get({"update"}).ok());
    std::vector<std::string> arguments{"--simulate", "install"};
    arguments.insert(arguments.end(), kWithPerl.begin(), kWithPerl.end());
    return client->get(arguments);
  }
};

TEST_F(OldMachine, FindsEverythingWhenLockedWithANamedBaseline) {
  file("minimal.list", "apt\n");
  const auto simulated = install_on_old_machine("minimal");
  EXPECT_TRUE(simulated.ok()) << simulated.out << simulated.err;
  EXPECT_TRUE(simulated_removals(simulated.out).empty()) << simulated.out;
}

// Shows that the test above could fail: a status file that is newer than the machine is not enough.
TEST_F(OldMachine, LacksUpdatesWhenLockedWithTheStatusFileOfANewerOne) {
  const auto perl = builder::resolve_package_set(spec("none", {"perl-base"}), context());
  ASSERT_TRUE(perl) << perl.error().message();
  const std::string newest = versions_of(perl->set).at("perl-base");
  if (newest.find("+deb") == std::string::npos) GTEST_SKIP() << "perl has had no update in this release";
  const auto at = status_.find("\nVersion: ", status_.find("Package: perl-base\n")) + 10;
  const std::string present = status_.substr(at, status_.find('\n', at) - at);
  std::string newer = status_;
  for (auto found = newer.find(present); found != std::string::npos;
       found = newer.find(present, found + newest.size())) {
    newer.replace(found, present.size(), newest);
  }
  const auto simulated = install_on_old_machine(file("newer-status", newer));
  EXPECT_FALSE(simulated.ok()) << simulated.out;
}

TEST_F(GeneratedRepository, LockingAndGeneratingAgainGivesTheSameBytes) {
  const auto again = builder::resolve_package_set(spec(file("status", status_), kSmallSet), context());
  ASSERT_TRUE(again);
  ASSERT_EQ(again->set.packages.size(), resolved_.set.packages.size());
  for (std::size_t i = 0; i < again->set.packages.size(); ++i) {
    EXPECT_EQ(again->set.packages[i].control, resolved_.set.packages[i].control);
    EXPECT_EQ(again->set.packages[i].digest, resolved_.set.packages[i].digest);
  }
  const Timestamp time = *parse_rfc3339("2026-01-02T03:04:05Z");
  const auto key = new_key(openpgp::KeyAlgorithm::ed25519, time);
  const auto first = builder::generate_repository(resolved_.set, blobs_of(resolved_), time, key);
  const auto second = builder::generate_repository(again->set, blobs_of(*again), time, key);
  ASSERT_TRUE(first && second);
  ASSERT_EQ(first->size(), second->size());
  for (std::size_t i = 0; i < first->size(); ++i) {
    EXPECT_EQ((*first)[i].path, (*second)[i].path);
    EXPECT_EQ((*first)[i].content, (*second)[i].content) << (*first)[i].path;
  }
}

TEST_F(GeneratedRepository, SignatureWaitsForAKeyMadeAfterTheLock) {
  const Timestamp locked = now() - std::chrono::hours(2);
  const auto key = new_key(openpgp::KeyAlgorithm::ed25519, now() - std::chrono::hours(1));
  ASSERT_TRUE(write_repository(resolved_, key, locked, root_));
  const auto update = apt().get({"update"});
  EXPECT_TRUE(update.ok()) << update.err;
}

TEST_F(GeneratedRepository, CanItselfBeLockedAgain) {
  write();
  bundle::PackageSetSpec again = spec(file("status", status_), kSmallSet);
  again.repositories = {{"file://" + (root_ / "apt/debian").string(),
                         {"stable"},
                         {"main"},
                         (root_ / "keys/repository.asc").string()}};
  const auto relocked = builder::resolve_package_set(again, context());
  ASSERT_TRUE(relocked) << relocked.error().message();
  EXPECT_EQ(versions_of(relocked->set), versions_of(resolved_.set));

  // The same repository, tampered with one layer after the other.
  again.repositories[0].url += "/.";  // another URL: past the cache of downloads
  const auto stranger = new_key(openpgp::KeyAlgorithm::ed25519, now());
  again.repositories[0].keyring = file("stranger.asc", stranger.armoured_public_key());
  const auto wrong_key = builder::resolve_package_set(again, context());
  ASSERT_FALSE(wrong_key);
  EXPECT_EQ(wrong_key.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(wrong_key.error().message(),
              HasSubstr("no key for the signature by key id " + key_->fingerprint().substr(24)));

  again.repositories[0].keyring = (root_ / "keys/repository.asc").string();
  again.repositories[0].url += "/.";
  for (const auto& entry : fs::recursive_directory_iterator(dists("main"))) {
    if (!entry.is_regular_file()) continue;
    std::string text = read(entry.path());
    text.back() = static_cast<char>(text.back() ^ 1);
    ASSERT_TRUE(write_file_atomically(entry.path(), text));
  }
  const auto tampered = builder::resolve_package_set(again, context());
  ASSERT_FALSE(tampered);
  EXPECT_EQ(tampered.error().code(), ErrorCode::integrity);
  EXPECT_THAT(tampered.error().message(), HasSubstr("the signed Release says sha256:"));

  again.repositories[0].url += "/.";
  fs::remove(dists("InRelease"));
  fs::remove(dists("Release.gpg"));
  const auto unsigned_repository = builder::resolve_package_set(again, context());
  ASSERT_FALSE(unsigned_repository);
  EXPECT_EQ(unsigned_repository.error().code(), ErrorCode::untrusted);
  EXPECT_THAT(unsigned_repository.error().message(), HasSubstr("has no signature"));
}

}  // namespace
}  // namespace sealift::test
