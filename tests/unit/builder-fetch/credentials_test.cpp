#include "builder/fetch/credentials.hpp"

#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/digest.hpp"

namespace sealift::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string auth(const std::string& login) { return to_base64(as_bytes(login)); }

Credentials read(const std::string& text) {
  auto credentials = Credentials::parse(text, "config.json");
  EXPECT_TRUE(credentials) << credentials.error().message();
  return std::move(*credentials);
}

std::string login_for(const Credentials& credentials, const std::string& host,
                      const std::string& repository) {
  const auto login = credentials.find(host, repository);
  if (!login) return "error: " + login.error().message();
  if (!*login) return "none";
  return (*login)->identity_token.empty() ? (*login)->user + "/" + (*login)->password.reveal()
                                          : "token " + (*login)->identity_token.reveal();
}

TEST(Credentials, TakesTheLongestKeyThatFits) {
  const Credentials credentials =
      read(fmt::format(R"({{"auths":{{"quay.io":{{"auth":"{}"}},"quay.io/team":{{"auth":"{}"}},
      "quay.io/team/app":{{"auth":"{}"}}}}}})",
                       auth("host:1"), auth("team:2"), auth("app:3")));
  EXPECT_EQ(login_for(credentials, "quay.io", "team/app"), "app/3");
  EXPECT_EQ(login_for(credentials, "quay.io", "team/other"), "team/2");
  EXPECT_EQ(login_for(credentials, "quay.io", "teams"), "host/1");
  EXPECT_EQ(login_for(credentials, "ghcr.io", "team"), "none");
}

TEST(Credentials, KnowsDockerHubByAllItsNames) {
  for (const char* key :
       {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"}) {
    const Credentials credentials =
        read(fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", key, auth("me:pw")));
    EXPECT_EQ(login_for(credentials, "registry-1.docker.io", "library/nginx"), "me/pw") << key;
  }
}

TEST(Credentials, ReadsEveryFormOfEntry) {
  const Credentials credentials = read(fmt::format(
      R"({{"auths":{{"a:5000":{{"username":"u","password":"p:w"}},"https://b/v2/":{{"identitytoken":"tok","auth":"{}"}},"c":{{}}}}}})",
      auth("x:y")));
  EXPECT_EQ(login_for(credentials, "a:5000", "x"), "u/p:w");
  EXPECT_EQ(login_for(credentials, "b", "x"), "token tok");
  EXPECT_EQ(login_for(credentials, "c", "x"), "none");
}

TEST(Credentials, KeepsEverythingAfterTheFirstColonOfALogin) {
  EXPECT_EQ(login_for(read(fmt::format(R"({{"auths":{{"a":{{"auth":"{}"}}}}}})", auth("u:p:w:"))), "a", ""),
            "u/p:w:");
}

TEST(Credentials, AnEmptyFileHasNoLogins) {
  EXPECT_EQ(login_for(read(""), "a", "b"), "none");
  EXPECT_EQ(login_for(read("{}"), "a", "b"), "none");
}

TEST(Credentials, ErrorsNeverQuoteValues) {
  for (const std::string& bad :
       {std::string(R"({"auths":{"a":{"auth":"aHVudGVyMg=="}}})"),
        std::string(R"({"auths":{"a":{"auth":"hunter2!"}}})"),
        std::string(R"({"auths":{"a":{"password":["hunter2"]}}})"), std::string(R"({"auths":[]})"),
        std::string(R"({"auths":{"a":"hunter2"}})"), std::string(R"({"credHelpers":{"a":"../hunter2"}, )"),
        std::string("{\"auths\"")}) {
    const auto credentials = Credentials::parse(bad, "config.json");
    ASSERT_FALSE(credentials) << bad;
    EXPECT_THAT(credentials.error().message(), HasSubstr("config.json"));
    EXPECT_THAT(credentials.error().message(), Not(HasSubstr("hunter2")));
  }
}

TEST(Credentials, RefusesHelpersWithAPath) {
  EXPECT_FALSE(Credentials::parse(R"({"credsStore":"../../bin/sh"})", "c"));
  EXPECT_FALSE(Credentials::parse(R"({"credHelpers":{"a":"x y"}})", "c"));
}

/// With programs of our own in PATH, as docker's helpers are.
class CredentialHelper : public testing::Test {
 protected:
  void SetUp() override {
    // As the program does: a helper may end without reading what it is asked.
    std::signal(SIGPIPE, SIG_IGN);
    auto directory = TemporaryDirectory::create("sealift-helper-");
    ASSERT_TRUE(directory);
    directory_.emplace(std::move(*directory));
    path_ = std::getenv("PATH");
    ::setenv("PATH", (directory_->path().string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }
  void put(const std::string& name, const std::string& body) {
    ASSERT_TRUE(write_file_atomically(directory_->path() / ("docker-credential-" + name),
                                      "#!/bin/sh\n" + body, 0755));
  }
  std::optional<TemporaryDirectory> directory_;
  std::string path_;
};

TEST_F(CredentialHelper, IsAskedForTheHost) {
  put("test",
      "read host; [ \"$1\" = get ] || exit 9; echo \"{\\\"Username\\\":\\\"me\\\",\\\"Secret\\\":\\\"for "
      "$host\\\"}\"\n");
  EXPECT_EQ(login_for(read(R"({"credHelpers":{"quay.io":"test"}})"), "quay.io", "a/b"), "me/for quay.io");
  EXPECT_EQ(login_for(read(R"({"credsStore":"test"})"), "registry-1.docker.io", "a/b"),
            "me/for https://index.docker.io/v1/");
}

TEST_F(CredentialHelper, MayGiveAnIdentityToken) {
  put("test", "echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}'\n");
  EXPECT_EQ(login_for(read(R"({"credHelpers":{"quay.io":"test"}})"), "quay.io", "a"), "token tok");
}

TEST_F(CredentialHelper, MayKnowNothing) {
  put("test", "echo 'credentials not found in native keychain'; exit 1\n");
  EXPECT_EQ(login_for(read(R"({"credsStore":"test"})"), "quay.io", "a"), "none");
}

TEST_F(CredentialHelper, FailuresAreErrorsWithoutItsOutput) {
  put("test", "echo hunter2; exit 3\n");
  const auto login = read(R"({"credsStore":"test"})").find("quay.io", "a");
  ASSERT_FALSE(login);
  EXPECT_EQ(login.error().code(), ErrorCode::authentication);
  EXPECT_THAT(login.error().message(), HasSubstr("exit code 3"));
  EXPECT_THAT(login.error().message(), Not(HasSubstr("hunter2")));
}

TEST_F(CredentialHelper, AStoreThatIsNotInstalledIsPassedOver) {
  EXPECT_EQ(login_for(read(R"({"credsStore":"sealift-absent"})"), "quay.io", "a"), "none");
  EXPECT_THAT(login_for(read(R"({"credHelpers":{"quay.io":"sealift-absent"}})"), "quay.io", "a"),
              HasSubstr("not installed"));
}

TEST(LoadCredentials, TheGivenFileMustExistAndIsTheOnlyOne) {
  EXPECT_FALSE(Credentials::load("/no/such/file"));
  ::setenv("REGISTRY_AUTH_FILE", "/no/such/file", 1);
  EXPECT_FALSE(Credentials::load({}));
  EXPECT_TRUE(Credentials::load("/dev/null"));
  ::unsetenv("REGISTRY_AUTH_FILE");
}

TEST(LoadCredentials, LaterFilesFillWhatEarlierOnesLack) {
  const auto directory = TemporaryDirectory::create("sealift-auth-");
  ASSERT_TRUE(directory);
  const auto put = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(sealift::create_directories((directory->path() / name).parent_path()));
    ASSERT_TRUE(write_file_atomically(directory->path() / name, text));
  };
  put("run/containers/auth.json", fmt::format(R"({{"auths":{{"a":{{"auth":"{}"}}}}}})", auth("podman:1")));
  put("docker/config.json",
      fmt::format(R"({{"auths":{{"a":{{"auth":"{0}"}},"b":{{"auth":"{0}"}}}}}})", auth("docker:2")));
  ::unsetenv("REGISTRY_AUTH_FILE");
  ::setenv("XDG_RUNTIME_DIR", (directory->path() / "run").c_str(), 1);
  ::setenv("DOCKER_CONFIG", (directory->path() / "docker").c_str(), 1);
  const auto credentials = Credentials::load({});
  ASSERT_TRUE(credentials) << credentials.error().message();
  EXPECT_EQ(login_for(*credentials, "a", "x"), "podman/1");
  EXPECT_EQ(login_for(*credentials, "b", "x"), "docker/2");
  EXPECT_THAT(credentials->source(), HasSubstr("docker/config.json"));
}

}  // namespace
}  // namespace sealift::builder
