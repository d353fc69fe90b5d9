#include "builder/resolve/checksum_file.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/ascii.hpp"

namespace sealift::builder {

namespace {

constexpr std::string_view kSpaces = " \t\r";

struct Line {
  Digest digest;
  std::string_view name;  ///< empty: a bare digest
};

std::optional<Digest> digest_of_hex(std::string_view hex) {
  if (hex.size() != 64 && hex.size() != 128) return std::nullopt;
  auto digest = Digest::from_hex(hex.size() == 64 ? DigestAlgorithm::sha256 : DigestAlgorithm::sha512, hex);
  if (!digest) return std::nullopt;
  return std::move(*digest);
}

/// "SHA256 (name) = hex"
std::optional<Line> read_bsd_line(std::string_view line) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 2> kForms = {
      {{"SHA256 (", 64}, {"SHA512 (", 128}}};
  for (const auto& [prefix, length] : kForms) {
    if (!line.starts_with(prefix)) continue;
    const std::size_t end = line.rfind(") = ");
    if (end == std::string_view::npos || end < prefix.size()) return std::nullopt;
    const std::string_view hex = line.substr(end + 4);
    auto digest = digest_of_hex(hex);
    if (!digest || hex.size() != length) return std::nullopt;
    return Line{std::move(*digest), line.substr(prefix.size(), end - prefix.size())};
  }
  return std::nullopt;
}

std::optional<Line> read_line(std::string_view line) {
  line = trimmed(line);
  if (auto bsd = read_bsd_line(line)) return bsd;
  const std::size_t space = line.find_first_of(kSpaces);
  auto digest = digest_of_hex(line.substr(0, space));
  if (!digest) return std::nullopt;
  if (space == std::string_view::npos) return Line{std::move(*digest), {}};
  std::string_view name = trimmed(line.substr(space));
  if (name.starts_with('*')) name.remove_prefix(1);
  return Line{std::move(*digest), name};
}

std::string_view last_component(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

Result<Digest> find_checksum(std::string_view text, std::string_view name, std::string_view what) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto line = read_line(text.substr(0, end))) lines.push_back(std::move(*line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (lines.empty()) return fail(ErrorCode::integrity, "{}: no sha256 or sha512 checksum in this file", what);
  std::optional<Digest> found;
  for (const Line& line : lines) {
    const bool bare = line.name.empty() && lines.size() == 1;
    if (!bare && last_component(line.name) != name) continue;
    if (found && found->algorithm() == line.digest.algorithm() && *found != line.digest) {
      return fail(ErrorCode::integrity, "{}: two different checksums for {}", what, name);
    }
    if (!found || line.digest.algorithm() == DigestAlgorithm::sha256) found = line.digest;
  }
  if (!found) return fail(ErrorCode::not_found, "{}: {} checksums, none for {}", what, lines.size(), name);
  return std::move(*found);
}

}  // namespace sealift::builder
