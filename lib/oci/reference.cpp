#include "lib/oci/reference.hpp"

#include <algorithm>

#include "lib/base/ascii.hpp"

namespace sealift::oci {

namespace {

constexpr std::size_t kMaxNameBytes = 255;

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_lower_alnum(text.front()) || !is_lower_alnum(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_alnum(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_lower_alnum(text[end])) ++end;
    const std::string_view separator = text.substr(i, end - i);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

/// A DNS name or IPv4 address: `[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?` joined by dots.
bool is_host_name(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back())) return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; }))
      return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_bracketed_ipv6(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  const std::string_view inner = text.substr(1, text.size() - 2);
  return std::all_of(inner.begin(), inner.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
  });
}

tl::unexpected<Error> malformed(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid_argument,
              "\"{}\" is not an image name: {}; expected [registry/]repository[:tag][@sha256:digest]",
              text.substr(0, 200), why);
}

/// docker's rule: the first component is a registry when it could not be a user's name on Docker Hub. Its
/// capitals do not make it one here: folded to lower case, such a name would mean a user's.
bool looks_like_registry(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:[") != std::string_view::npos;
}

}  // namespace

bool is_repository_name(std::string_view text) {
  if (text.size() > kMaxNameBytes) return false;
  while (true) {
    const std::size_t slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && (is_alnum(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_registry_host(std::string_view text) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return false;
  }
  const std::string_view host = text.substr(0, colon);
  return host.size() <= kMaxNameBytes && (is_host_name(host) || is_bracketed_ipv6(host));
}

Result<Reference> Reference::parse(std::string_view text) {
  Reference reference;
  std::string_view name = text;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    auto digest = Digest::parse(name.substr(at + 1));
    if (!digest) return malformed(text, digest.error().message());
    reference.digest_ = std::move(*digest);
    name = name.substr(0, at);
  }
  // A colon after the last slash begins the tag; one before it belongs to the registry's port.
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    reference.tag_ = std::string(name.substr(colon + 1));
    if (!is_tag(reference.tag_))
      return malformed(text, "the tag must be letters, digits, '_', '.' and '-', at most 128");
    name = name.substr(0, colon);
  } else if (!reference.digest_) {
    reference.tag_ = "latest";
  }
  if (const std::size_t first = name.find('/');
      first != std::string_view::npos && looks_like_registry(name.substr(0, first))) {
    reference.registry_ = ascii_lower(name.substr(0, first));
    name = name.substr(first + 1);
    if (!is_registry_host(reference.registry_))
      return malformed(text, "the registry is not a host name with an optional port");
  } else {
    reference.registry_ = "docker.io";
  }
  if (reference.registry_ == "index.docker.io" || reference.registry_ == "registry-1.docker.io")
    reference.registry_ = "docker.io";
  reference.repository_ = std::string(name);
  if (reference.registry_ == "docker.io" && name.find('/') == std::string_view::npos) {
    reference.repository_ = "library/" + reference.repository_;
  }
  if (!is_repository_name(reference.repository_)) {
    return malformed(text,
                     "the repository must be lower-case letters and digits, joined by '.', '_', '-' and '/'");
  }
  if (reference.name().size() > kMaxNameBytes) return malformed(text, "longer than 255 bytes");
  return reference;
}

std::string Reference::str() const {
  std::string result = name();
  if (!tag_.empty()) result += ":" + tag_;
  if (digest_) result += "@" + digest_->str();
  return result;
}

Result<Reference> Reference::with_tag(std::string_view tag) const {
  if (!is_tag(tag)) return malformed(fmt::format("{}:{}", name(), tag), "invalid tag");
  Reference result = *this;
  result.tag_ = std::string(tag);
  result.digest_.reset();
  return result;
}

Reference Reference::with_digest(const Digest& digest) const {
  Reference result = *this;
  result.tag_.clear();
  result.digest_ = digest;
  return result;
}

}  // namespace sealift::oci
