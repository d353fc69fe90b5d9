#include "lib/oci/platform.hpp"

#include <algorithm>

namespace sealift::oci {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

}  // namespace

Result<Platform> Platform::parse(std::string_view text) {
  std::vector<std::string> parts;
  std::string_view rest = text;
  while (parts.size() < 4) {
    const std::size_t slash = rest.find('/');
    parts.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_word)) {
    return fail(ErrorCode::invalid_argument, "\"{}\" is not a platform such as linux/amd64 or linux/arm64/v8",
                text.substr(0, 100));
  }
  return of(parts[0], parts[1], parts.size() == 3 ? parts[2] : "");
}

Platform Platform::of(std::string os, std::string architecture, std::string variant) {
  if (architecture == "x86_64" || architecture == "x86-64") architecture = "amd64";
  if (architecture == "aarch64") architecture = "arm64";
  if (architecture == "arm64" && (variant == "v8" || variant == "8")) variant.clear();
  if (architecture == "arm" && (variant == "v7" || variant == "7")) variant.clear();
  if (architecture == "amd64" && variant == "v1") variant.clear();
  return Platform{std::move(os), std::move(architecture), std::move(variant)};
}

std::string Platform::str() const {
  std::string result = os + "/" + architecture;
  if (!variant.empty()) result += "/" + variant;
  return result;
}

Platform own_platform() {
#if defined(__x86_64__)
  return Platform{"linux", "amd64", ""};
#elif defined(__aarch64__)
  return Platform{"linux", "arm64", ""};
#elif defined(__arm__)
  return Platform{"linux", "arm", ""};
#elif defined(__powerpc64__)
  return Platform{"linux", "ppc64le", ""};
#elif defined(__s390x__)
  return Platform{"linux", "s390x", ""};
#else
  return Platform{"linux", "unknown", ""};
#endif
}

}  // namespace sealift::oci
