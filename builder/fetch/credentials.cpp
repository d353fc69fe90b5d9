#include "builder/fetch/credentials.hpp"

#include <algorithm>
#include <cstdlib>

#include <unistd.h>

#include "lib/base/ascii.hpp"
#include "lib/base/json.hpp"
#include "lib/base/process.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::builder {

namespace {

constexpr std::uint64_t kMaxFileBytes = 1ULL << 20;
constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";
constexpr std::string_view kTokenUser =
    "<token>";  ///< docker-credential-helpers: the secret is an identity token

std::string canonical_host(std::string_view given) {
  std::string host = ascii_lower(given);
  if (host == "index.docker.io" || host == "registry-1.docker.io") return "docker.io";
  return host;
}

/// docker writes URLs as keys ("https://index.docker.io/v1/"), podman "host" and "host/path".
std::string canonical_key(std::string_view key) {
  bool is_url = false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    is_url = true;
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (key.ends_with(version)) key.remove_suffix(version.size());
  }
  const std::size_t slash = key.find('/');
  std::string result = canonical_host(key.substr(0, slash));
  if (!is_url && slash != std::string_view::npos) result += key.substr(slash);
  return result;
}

bool is_helper_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

Result<std::optional<Login>> read_login(const json::Reader& entry) {
  Login login;
  TRY_ASSIGN(login.user, entry.string_or("username", ""));
  TRY_ASSIGN(std::string password, entry.string_or("password", ""));
  TRY_ASSIGN(const std::string auth, entry.string_or("auth", ""));
  if (!auth.empty()) {
    const auto decoded = from_base64(auth);
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return fail(ErrorCode::invalid_argument, "{}.auth is not base64 of \"user:password\"; log in again",
                  entry.path());
    }
    login.user = decoded->substr(0, colon);
    password = decoded->substr(colon + 1);
    // Old docker versions pad with zero bytes.
    while (password.ends_with('\0')) password.pop_back();
  }
  TRY_ASSIGN(std::string identity, entry.string_or("identitytoken", ""));
  if (login.user.empty() && identity.empty()) return std::optional<Login>();
  login.password = net::Secret(std::move(password));
  login.identity_token = net::Secret(std::move(identity));
  return std::optional<Login>(std::move(login));
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

/// Asks `docker-credential-<helper>`; nullopt when it knows nothing for the host.
Result<std::optional<Login>> ask_helper(const std::string& helper, const std::string& host) {
  const std::string program = "docker-credential-" + helper;
  Command command;
  command.arguments = {program, "get"};
  command.input = host == "docker.io" ? std::string(kDockerHubKey) : host;
  command.deadline = std::chrono::seconds(60);
  TRY_ASSIGN(const CommandOutput output, run(command));
  if (!output.ok()) {
    const bool unknown = output.out.find("credentials not found") != std::string::npos ||
                         output.err.find("credentials not found") != std::string::npos;
    if (unknown) return std::optional<Login>();
    return fail(ErrorCode::authentication,
                "{} get for {} failed with exit code {}; run it by hand to see why", program, host,
                output.exit_code);
  }
  TRY_ASSIGN(const json::Value value, json::parse(output.out, "the answer of " + program));
  TRY_ASSIGN(const json::Reader answer, json::Reader::of(value, "the answer of " + program));
  TRY_ASSIGN(std::string user, answer.string_or("Username", ""));
  TRY_ASSIGN(std::string secret, answer.string_or("Secret", ""));
  if (secret.empty()) return std::optional<Login>();
  if (user == kTokenUser)
    return std::optional<Login>(Login{"", net::Secret(), net::Secret(std::move(secret))});
  return std::optional<Login>(Login{std::move(user), net::Secret(std::move(secret)), net::Secret()});
}

}  // namespace

Result<Credentials> Credentials::parse(std::string_view text, std::string_view what) {
  if (text.size() > kMaxFileBytes)
    return fail(ErrorCode::invalid_argument, "{}: {} bytes, more than 1 MiB", what, text.size());
  Credentials credentials;
  credentials.source_ = std::string(what);
  // podman creates the file empty.
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return credentials;
  auto value = json::parse(text, what);
  if (!value) return fail(ErrorCode::invalid_argument, "{}", value.error().message());
  TRY_ASSIGN(const json::Reader root, json::Reader::of(*value, std::string(what)));
  if (root.has("auths")) {
    TRY_ASSIGN(const json::Reader auths, root.object("auths"));
    for (const auto& member : auths.raw()) {
      TRY_ASSIGN(
          const json::Reader entry,
          json::Reader::of(member.value(), fmt::format("{}: auths.{}", what, std::string(member.key()))));
      TRY_ASSIGN(auto login, read_login(entry));
      if (login) credentials.logins_.insert_or_assign(canonical_key(member.key()), std::move(*login));
    }
  }
  TRY_ASSIGN(const auto helpers, root.string_map("credHelpers"));
  for (const auto& [host, helper] : helpers) {
    if (!is_helper_name(helper))
      return fail(ErrorCode::invalid_argument, "{}: credHelpers: \"{}\" is not the name of a helper", what,
                  helper);
    credentials.helpers_[canonical_key(host)] = helper;
  }
  TRY_ASSIGN(credentials.store_, root.string_or("credsStore", ""));
  if (!credentials.store_.empty() && !is_helper_name(credentials.store_)) {
    return fail(ErrorCode::invalid_argument, "{}: credsStore: \"{}\" is not the name of a helper", what,
                credentials.store_);
  }
  return credentials;
}

Result<Credentials> Credentials::load(const std::optional<fs::path>& authfile) {
  const auto read = [](const fs::path& path) -> Result<Credentials> {
    TRY_ASSIGN(const std::string text, read_file(path, kMaxFileBytes));
    return parse(text, path.string());
  };
  if (authfile) return read(*authfile);
  if (const auto path = variable("REGISTRY_AUTH_FILE")) return read(*path);
  Credentials result;
  for (const fs::path& path : default_authfiles()) {
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    TRY_ASSIGN(Credentials credentials, read(path));
    result.source_ += (result.source_.empty() ? "" : ", ") + path.string();
    result.fallbacks_.push_back(std::move(credentials));
  }
  return result;
}

const Login* Credentials::stored(const std::string& registry, const std::string& repository) const {
  std::string key = repository.empty() ? registry : registry + "/" + repository;
  while (true) {
    if (const auto found = logins_.find(key); found != logins_.end()) return &found->second;
    const std::size_t slash = key.rfind('/');
    if (slash == std::string::npos) return nullptr;
    key.resize(slash);
  }
}

Result<std::optional<Login>> Credentials::find(const std::string& host, const std::string& repository) const {
  const std::string registry = canonical_host(host);
  const auto own_helper = helpers_.find(registry);
  const bool has_own = own_helper != helpers_.end();
  const std::string& helper = has_own ? own_helper->second : store_;
  // A key beside a helper is what was left from before the helper: asked second, as docker and podman do.
  Result<std::optional<Login>> answer = std::optional<Login>();
  if (!helper.empty()) answer = ask_helper(helper, registry);
  const bool is_absent = !answer && answer.error().code() == ErrorCode::not_found;
  if (!is_absent && (!answer || *answer)) return answer;
  if (const Login* login = stored(registry, repository)) return std::optional<Login>(*login);
  // A configuration copied from a desktop names a store this machine lacks; public images need no login.
  if (is_absent && has_own) return answer;
  for (const Credentials& fallback : fallbacks_) {
    TRY_ASSIGN(auto login, fallback.find(host, repository));
    if (login) return login;
  }
  return std::optional<Login>();
}

std::vector<fs::path> default_authfiles() {
  const auto home = variable("HOME");
  std::vector<fs::path> files;
  const auto add = [&](const char* name, const char* below_home, const char* file) {
    if (const auto folder = variable(name))
      files.push_back(fs::path(*folder) / file);
    else if (home)
      files.push_back(fs::path(*home) / below_home / file);
  };
  if (const auto runtime = variable("XDG_RUNTIME_DIR"))
    files.push_back(fs::path(*runtime) / "containers/auth.json");
  else
    files.push_back(fmt::format("/run/containers/{}/auth.json", ::getuid()));
  add("XDG_CONFIG_HOME", ".config", "containers/auth.json");
  add("DOCKER_CONFIG", ".docker", "config.json");
  return files;
}

}  // namespace sealift::builder
