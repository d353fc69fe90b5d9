#include "lib/net/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "lib/base/ascii.hpp"

namespace sealift::net {

namespace {

constexpr std::size_t kMaxUrlBytes = 8192;

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    return text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
  }
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), is_host_character);
}

bool is_secret_parameter(std::string_view name) {
  constexpr std::array<std::string_view, 8> kWords = {"sig",        "token",    "key",  "secret",
                                                      "credential", "password", "auth", "policy"};
  const std::string folded = ascii_lower(name);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](auto word) { return folded.find(word) != std::string::npos; });
}

/// Whether a parameter of this name is a credential: read by people who must mend it, so it must not guess.
bool is_credential_parameter(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {
      "sig", "key",       "auth",        "authorization",  "pass",           "passwd",
      "pwd", "secretkey", "accesskeyid", "awsaccesskeyid", "ossaccesskeyid", "googleaccessid"};
  constexpr std::array<std::string_view, 7> kEndings = {"token",      "signature", "password", "secret",
                                                        "credential", "accesskey", "apikey"};
  std::string folded = ascii_lower(name);
  std::erase_if(folded, [](char c) { return c == '-' || c == '_' || c == '.'; });
  if (folded.starts_with("xamz") || folded.starts_with("xgoog")) return true;
  const auto ends = [&](std::string_view ending) { return folded.ends_with(ending); };
  return std::find(kNames.begin(), kNames.end(), folded) != kNames.end() ||
         std::any_of(kEndings.begin(), kEndings.end(), ends);
}

std::string redacted_query(std::string_view query) {
  std::string result;
  while (true) {
    const std::size_t end = query.find_first_of("&;");
    const std::string_view item = query.substr(0, end);
    const std::size_t equals = item.find('=');
    if (equals != std::string_view::npos && is_secret_parameter(item.substr(0, equals))) {
      result.append(item.substr(0, equals + 1)).append("***");
    } else {
      result.append(item);
    }
    if (end == std::string_view::npos) return result;
    result += query[end];
    query.remove_prefix(end + 1);
  }
}

/// RFC 3986, section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool directory = false;
  std::string_view rest = path.substr(path.starts_with('/') ? 1 : 0);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    directory = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  std::string result;
  for (const std::string_view segment : kept) result.append("/").append(segment);
  if (directory || result.empty()) result += '/';
  return result;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const auto malformed = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument, "\"{}\" is not a URL Sealift can fetch: {}", redacted(text),
                why);
  };
  if (text.size() > kMaxUrlBytes) return malformed("longer than 8 KiB");
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; })) {
    return malformed("it contains spaces or control characters");
  }
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return malformed("expected http:// or https://");
  url.scheme_ = ascii_lower(text.substr(0, colon));
  if (url.scheme_ != "http" && url.scheme_ != "https") return malformed("expected http:// or https://");
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.userinfo_ = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  url.port_ = default_port(url.scheme_);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port_colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port_colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(port_colon + 1);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, url.port_);
    if (error != std::errc() || stop != end || url.port_ == 0)
      return malformed("the port must be a number from 1 to 65535");
  }
  url.host_ = ascii_lower(authority.substr(0, port_colon));
  if (!is_host(url.host_)) return malformed("the host is missing or malformed");
  const std::size_t question = rest.find('?');
  url.path_ = std::string(rest.substr(0, question));
  if (url.path_.empty()) url.path_ = "/";
  if (question != std::string_view::npos) url.query_ = std::string(rest.substr(question + 1));
  return url;
}

std::string Url::authority() const {
  return port_ == default_port(scheme_) ? host_ : fmt::format("{}:{}", host_, port_);
}

std::string Url::filename() const {
  const std::string_view last = std::string_view(path_).substr(path_.rfind('/') + 1);
  std::string result;
  for (std::size_t i = 0; i < last.size(); ++i) {
    if (last[i] == '%' && i + 2 < last.size() && hex_value(last[i + 1]) >= 0 && hex_value(last[i + 2]) >= 0) {
      result += static_cast<char>(hex_value(last[i + 1]) * 16 + hex_value(last[i + 2]));
      i += 2;
    } else {
      result += last[i];
    }
  }
  return result;
}

std::optional<std::string> Url::credential_parameter() const {
  std::string_view rest = query_;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find_first_of("&;"));
    const std::string_view name = item.substr(0, item.find('='));
    if (is_credential_parameter(name)) return std::string(name);
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
  }
  return std::nullopt;
}

std::string Url::reveal() const {
  return fmt::format("{}://{}{}{}{}{}{}", scheme_, userinfo_, userinfo_.empty() ? "" : "@", authority(),
                     path_, query_.empty() ? "" : "?", query_);
}

std::string Url::str() const {
  return fmt::format("{}://{}{}{}{}{}", scheme_, userinfo_.empty() ? "" : "***@", authority(), path_,
                     query_.empty() ? "" : "?", redacted_query(query_));
}

Result<Url> Url::resolve(std::string_view location) const {
  TRY_ASSIGN(Url target, target_of(location));
  if (!target.has_login() && same_origin(target)) target.userinfo_ = userinfo_;
  return target;
}

Result<Url> Url::target_of(std::string_view location) const {
  const std::string_view reference = location.substr(0, location.find('#'));
  const std::size_t scheme_end = reference.find("://");
  if (scheme_end != std::string_view::npos && scheme_end < reference.find_first_of("/?"))
    return parse(reference);
  if (reference.starts_with("//")) return parse(fmt::format("{}:{}", scheme_, reference));
  const std::size_t question = reference.find('?');
  std::string path(reference.substr(0, question));
  const std::string query = question == std::string_view::npos ? "" : std::string(reference.substr(question));
  if (path.empty()) {
    path = path_;
  } else if (!path.starts_with('/')) {
    path = path_.substr(0, path_.rfind('/') + 1) + path;
  }
  return parse(origin() + remove_dot_segments(path) + query);
}

bool Url::same_origin(const Url& other) const {
  return scheme_ == other.scheme_ && host_ == other.host_ && port_ == other.port_;
}

std::string redacted(std::string_view text) {
  constexpr std::size_t kQuotedBytes = 200;
  std::string start;
  // The last '@': a login that was not percent-encoded may hold others, and '/' and '?'.
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::size_t scheme = text.find("://");
    start = (scheme < at ? std::string(text.substr(0, scheme + 3)) : "") + "***";
    text.remove_prefix(at);
  }
  return start + std::string(text.substr(0, std::min(text.find('?'), kQuotedBytes)));
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    }
  }
  return result;
}

}  // namespace sealift::net
