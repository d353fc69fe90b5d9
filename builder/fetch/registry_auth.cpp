#include "builder/fetch/registry_auth.hpp"

#include <algorithm>

#include "builder/fetch/upstream_error.hpp"
#include "lib/base/ascii.hpp"
#include "lib/base/json.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::builder {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kMaxTokenAnswerBytes = 1ULL << 20;
constexpr std::uint64_t kDefaultLifetimeSeconds = 60;  // spec/auth/token: when expires_in is absent
constexpr std::uint64_t kLongestLifetimeSeconds = 24ULL * 3600;
constexpr std::size_t kMaxChallenges = 16;
constexpr std::size_t kMaxParameters = 32;

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads a header from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view token() {
    std::size_t length = 0;
    while (length < rest_.size() && is_token_character(rest_[length])) ++length;
    const std::string_view result = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return result;
  }
  std::string quoted() {
    std::string result;
    while (!rest_.empty() && !take('"')) {
      if (take('\\') && rest_.empty()) break;
      result += rest_.front();
      rest_.remove_prefix(1);
    }
    return result;
  }
  void drop() { rest_.remove_prefix(std::min<std::size_t>(1, rest_.size())); }

 private:
  std::string_view rest_;
};

std::string cache_key(const RegistryLocation& location) { return location.base + " " + location.repository; }

net::Secret basic(const Login& login) {
  return net::Secret("Basic " + to_base64(as_bytes(login.user + ":" + login.password.reveal())));
}

std::string parameter(const Challenge& challenge, const std::string& name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? "" : found->second;
}

struct TokenAnswer {
  std::string token;
  std::uint64_t lifetime_seconds = 0;
};

Result<TokenAnswer> read_token_answer(const std::string& text, const net::Url& realm) {
  const std::string what = fmt::format("the answer of the token server {}", realm);
  TRY_ASSIGN(const json::Value value, json::parse(text, what));
  TRY_ASSIGN(const json::Reader root, json::Reader::of(value, what));
  TokenAnswer answer;
  TRY_ASSIGN(answer.token, root.string_or("token", ""));
  if (answer.token.empty()) {
    TRY_ASSIGN(answer.token, root.string_or("access_token", ""));
  }
  const bool clean =
      !answer.token.empty() && std::all_of(answer.token.begin(), answer.token.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) < 0x7F;
      });
  if (!clean) return fail(ErrorCode::authentication, "{} holds no usable token", what);
  TRY_ASSIGN(const std::uint64_t lifetime, root.unsigned_integer_or("expires_in", kDefaultLifetimeSeconds));
  answer.lifetime_seconds =
      std::clamp<std::uint64_t>(lifetime, kDefaultLifetimeSeconds, kLongestLifetimeSeconds);
  return answer;
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header);
  while (!scanner.at_end()) {
    scanner.skip(" \t,");
    const std::string_view name = scanner.token();
    if (name.empty()) {
      scanner.drop();
      continue;
    }
    scanner.skip(" \t");
    if (!scanner.take('=')) {
      if (challenges.size() == kMaxChallenges) break;
      challenges.push_back({ascii_lower(name), {}});
      continue;
    }
    scanner.skip(" \t");
    std::string value = scanner.take('"') ? scanner.quoted() : std::string(scanner.token());
    if (challenges.empty() || challenges.back().parameters.size() == kMaxParameters) continue;
    challenges.back().parameters.insert_or_assign(ascii_lower(name), std::move(value));
  }
  return challenges;
}

net::Secret RegistryAuth::current(const RegistryLocation& location) {
  const std::lock_guard lock(mutex_);
  const auto found = granted_.find(cache_key(location));
  if (found == granted_.end() || found->second.expires < SteadyClock::now()) return net::Secret();
  return found->second.authorization;
}

std::string RegistryAuth::login_hint(const RegistryLocation& location) const {
  const auto login = credentials_->find(location.host, location.repository);
  if (login && *login) {
    return fmt::format("the login for {} (from {}) may not read it, or it does not exist", location.host,
                       credentials_->source());
  }
  return fmt::format("no login for {} is known: `docker login {}` or --authfile; or it does not exist",
                     location.host, location.host);
}

Result<net::Secret> RegistryAuth::answer(const RegistryLocation& location, const net::Response& response) {
  // Who was only redirected to may not say where the login goes.
  TRY_ASSIGN(const net::Url base, net::Url::parse(location.base));
  if (!base.same_origin(response.url)) {
    return upstream_error(response, location.host + "/" + location.repository,
                          "its server redirected to one that wants another login");
  }
  std::vector<Challenge> challenges;
  for (const auto& [name, value] : response.headers) {
    if (name != "www-authenticate") continue;
    auto more = parse_challenges(value);
    std::move(more.begin(), more.end(), std::back_inserter(challenges));
  }
  TRY_ASSIGN(const std::optional<Login> login, credentials_->find(location.host, location.repository));
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "bearer") {
      TRY_ASSIGN(Granted granted, fetch_token(location, challenge, login));
      const std::lock_guard lock(mutex_);
      granted_.insert_or_assign(cache_key(location), granted);
      return granted.authorization;
    }
    if (challenge.scheme == "basic" && login && login->identity_token.empty()) {
      Granted granted{basic(*login), SteadyClock::time_point::max()};
      const std::lock_guard lock(mutex_);
      granted_.insert_or_assign(cache_key(location), granted);
      return granted.authorization;
    }
  }
  return upstream_error(response, location.host + "/" + location.repository, login_hint(location));
}

Result<RegistryAuth::Granted> RegistryAuth::fetch_token(const RegistryLocation& location,
                                                        const Challenge& challenge,
                                                        const std::optional<Login>& login) {
  TRY_ASSIGN(const net::Url realm, net::Url::parse(parameter(challenge, "realm")));
  if (location.base.starts_with("https://") && realm.scheme() != "https") {
    return fail(ErrorCode::untrusted, "{} sends logins to {}, which is not protected by TLS: refused",
                location.host, realm);
  }
  const std::string service = parameter(challenge, "service");
  std::string scope = parameter(challenge, "scope");
  if (scope.empty()) scope = fmt::format("repository:{}:pull", location.repository);
  MemorySink body(kMaxTokenAnswerBytes);
  net::Request request{realm, {{"Accept", "application/json"}}, net::Secret(), 0, kMaxTokenAnswerBytes};
  Result<net::Response> response = fail(ErrorCode::internal, "not asked yet");
  if (login && !login->identity_token.empty()) {
    const net::Secret form(
        fmt::format("grant_type=refresh_token&client_id=sealift&service={}&scope={}&refresh_token={}",
                    net::percent_encode(service), net::percent_encode(scope),
                    net::percent_encode(login->identity_token.reveal())));
    response = transport_->post(request, form, body);
  } else {
    const std::string query =
        fmt::format("{}service={}&scope={}", realm.query().empty() ? "" : realm.query() + "&",
                    net::percent_encode(service), net::percent_encode(scope));
    TRY_ASSIGN(request.url, net::Url::parse(fmt::format("{}{}?{}", realm.origin(), realm.path(), query)));
    if (login) request.authorization = basic(*login);
    response = transport_->get(request, body);
  }
  if (!response) return tl::unexpected(std::move(response).error());
  if (response->status < 200 || response->status > 299) {
    const std::string what = fmt::format("logging in to {}", location.host);
    if (!login)
      return upstream_error(*response, what,
                            "the token server gives nothing without a login: `docker login` or --authfile");
    return upstream_error(*response, what,
                          fmt::format("the login from {} was refused", credentials_->source()));
  }
  TRY_ASSIGN(const TokenAnswer answer, read_token_answer(body.text(), realm));
  // A tenth early, so that no token expires between being looked up and being used.
  const std::chrono::seconds lifetime(answer.lifetime_seconds * 9 / 10);
  return Granted{net::Secret("Bearer " + answer.token), SteadyClock::now() + lifetime};
}

}  // namespace sealift::builder
