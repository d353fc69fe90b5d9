#include "builder/fetch/credentials.hpp"

#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/crypto/digest.hpp"

namespace sealift::builder {
namespace {

using testing::ElementsAre;
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

TEST_F(CredentialHelper, IsAskedBeforeTheKeysOfItsFile) {
  put("test",
      "read host; case \"$host\" in quay.io) echo '{\"Username\":\"new\",\"Secret\":\"1\"}';; *) echo "
      "'credentials not found in native keychain'; exit 1;; esac\n");
  put("own", "echo '{\"Username\":\"own\",\"Secret\":\"2\"}'\n");
  const std::string auths = fmt::format(
      R"("auths":{{"quay.io":{{"auth":"{0}"}},"quay.io/a":{{"auth":"{0}"}},"ghcr.io":{{"auth":"{0}"}}}})",
      auth("stale:0"));
  const auto find = [&](const std::string& helpers, const std::string& host) {
    return login_for(read("{" + helpers + "," + auths + "}"), host, "a/b");
  };
  EXPECT_EQ(find(R"("credsStore":"test")", "quay.io"), "new/1");
  EXPECT_EQ(find(R"("credHelpers":{"quay.io":"own"})", "quay.io"), "own/2");
  EXPECT_EQ(find(R"("credHelpers":{"quay.io":"own"},"credsStore":"test")", "quay.io"), "own/2");
  // What it does not know, and what is not its own, is in the file.
  EXPECT_EQ(find(R"("credsStore":"test")", "ghcr.io"), "stale/0");
  EXPECT_EQ(find(R"("credHelpers":{"quay.io":"own"})", "ghcr.io"), "stale/0");
  EXPECT_EQ(find(R"("credsStore":"sealift-absent")", "quay.io"), "stale/0");
  EXPECT_EQ(find(R"("credHelpers":{"quay.io":"sealift-absent"})", "quay.io"), "stale/0");
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

/// With the variables that say where docker and podman keep theirs.
class LoadCredentials : public testing::Test {
 protected:
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      if (value)
        ::setenv(name.c_str(), value->c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }
  void set(const std::string& name, const std::optional<std::string>& value) {
    const char* before = std::getenv(name.c_str());
    before_.emplace(name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(LoadCredentials, TheGivenFileMustExistAndIsTheOnlyOne) {
  EXPECT_FALSE(Credentials::load("/no/such/file"));
  set("REGISTRY_AUTH_FILE", "/no/such/file");
  EXPECT_FALSE(Credentials::load({}));
  EXPECT_TRUE(Credentials::load("/dev/null"));
}

TEST_F(LoadCredentials, LooksWherePodmanAndDockerDo) {
  const auto files = [] {
    std::vector<std::string> paths;
    for (const fs::path& path : default_authfiles()) paths.push_back(path.string());
    return paths;
  };
  set("HOME", "/home/me");
  for (const char* name : {"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"}) set(name, std::nullopt);
  const std::string run = fmt::format("/run/containers/{}/auth.json", ::getuid());
  EXPECT_THAT(files(),
              ElementsAre(run, "/home/me/.config/containers/auth.json", "/home/me/.docker/config.json"));
  set("DOCKER_CONFIG", "/docker");
  EXPECT_THAT(files(), ElementsAre(run, "/home/me/.config/containers/auth.json", "/docker/config.json"));
  set("XDG_RUNTIME_DIR", "/run/user/7");
  set("XDG_CONFIG_HOME", "/config");
  EXPECT_THAT(files(), ElementsAre("/run/user/7/containers/auth.json", "/config/containers/auth.json",
                                   "/docker/config.json"));
  for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"})
    set(name, std::nullopt);
  EXPECT_THAT(files(), ElementsAre(run));
}

TEST_F(LoadCredentials, LaterFilesFillWhatEarlierOnesLack) {
  const auto directory = TemporaryDirectory::create("sealift-auth-");
  ASSERT_TRUE(directory);
  const auto put = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(sealift::create_directories((directory->path() / name).parent_path()));
    ASSERT_TRUE(write_file_atomically(directory->path() / name, text));
  };
  const auto keys = [](const std::vector<std::string>& hosts, const std::string& login) {
    std::string text;
    for (const std::string& host : hosts)
      text += fmt::format(R"({}"{}":{{"auth":"{}"}})", text.empty() ? "" : ",", host, auth(login));
    return "{\"auths\":{" + text + "}}";
  };
  put("run/containers/auth.json", keys({"a"}, "run:1"));
  put("config/containers/auth.json", keys({"a", "b"}, "podman:2"));
  put("docker/config.json", keys({"a", "b", "c"}, "docker:3"));
  set("REGISTRY_AUTH_FILE", std::nullopt);
  set("XDG_RUNTIME_DIR", (directory->path() / "run").string());
  set("XDG_CONFIG_HOME", (directory->path() / "config").string());
  set("DOCKER_CONFIG", (directory->path() / "docker").string());
  const auto credentials = Credentials::load({});
  ASSERT_TRUE(credentials) << credentials.error().message();
  EXPECT_EQ(login_for(*credentials, "a", "x"), "run/1");
  EXPECT_EQ(login_for(*credentials, "b", "x"), "podman/2");
  EXPECT_EQ(login_for(*credentials, "c", "x"), "docker/3");
  EXPECT_THAT(credentials->source(), HasSubstr("docker/config.json"));
}

}  // namespace
}  // namespace sealift::builder
