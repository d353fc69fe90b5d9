#include "lib/pkgrepo/apt/release.hpp"

#include <charconv>

#include "lib/base/files.hpp"
#include "lib/pkgrepo/apt/deb822.hpp"

namespace sealift::pkgrepo::apt {
namespace {

constexpr std::size_t kMaxFiles = 100000;

std::vector<std::string> list_of(std::string_view value) {
  const auto parts = words(value);
  return {parts.begin(), parts.end()};
}

bool yes(const Stanza& stanza, std::string_view name) {
  return equals_ignoring_case(stanza.get(name), "yes");
}

Result<std::optional<Timestamp>> time_of(const Stanza& stanza, std::string_view name,
                                         const std::string& what) {
  const auto value = stanza.get(name);
  if (value.empty()) return std::optional<Timestamp>();
  TRY_ASSIGN(const Timestamp time, within(parse_rfc5322(value), fmt::format("{}, field {}", what, name)));
  return std::optional<Timestamp>(time);
}

/// Lines of "<hex> <size> <path>".
Status add_files(std::string_view list, Release& release, const std::string& what) {
  const auto parts = words(list);
  if (parts.size() % 3 != 0) {
    return fail(ErrorCode::integrity, "{}: the SHA256 list is not made of lines of digest, size and path",
                what);
  }
  if (parts.size() / 3 > kMaxFiles)
    return fail(ErrorCode::integrity, "{}: more than {} files", what, kMaxFiles);
  for (std::size_t i = 0; i < parts.size(); i += 3) {
    TRY_ASSIGN(Digest digest, within(Digest::from_hex(DigestAlgorithm::sha256, parts[i]), what));
    std::uint64_t size = 0;
    const auto size_text = parts[i + 1];
    const auto [end, error] = std::from_chars(size_text.data(), size_text.data() + size_text.size(), size);
    if (error != std::errc() || end != size_text.data() + size_text.size()) {
      return fail(ErrorCode::integrity, "{}: '{}' is not a size (of {})", what, size_text, parts[i + 2]);
    }
    // What leaves the suite's folder is never asked for; some generators list such lines.
    if (is_confined_path(parts[i + 2]))
      release.files.emplace(parts[i + 2], IndexFile{std::move(digest), size});
  }
  return {};
}

void put(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) text += fmt::format("{}: {}\n", name, value);
}

}  // namespace

Result<Release> parse_release(std::string_view text, const std::string& what) {
  StanzaReader reader(text, what);
  TRY_ASSIGN(const Stanza* stanza, reader.next());
  if (stanza == nullptr) return fail(ErrorCode::integrity, "{} is empty", what);
  Release release;
  release.origin = stanza->get("Origin");
  release.label = stanza->get("Label");
  release.suite = stanza->get("Suite");
  release.codename = stanza->get("Codename");
  release.description = stanza->get("Description");
  TRY_ASSIGN(release.date, time_of(*stanza, "Date", what));
  TRY_ASSIGN(release.valid_until, time_of(*stanza, "Valid-Until", what));
  release.architectures = list_of(stanza->get("Architectures"));
  release.components = list_of(stanza->get("Components"));
  release.acquire_by_hash = yes(*stanza, "Acquire-By-Hash");
  release.not_automatic = yes(*stanza, "NotAutomatic");
  release.but_automatic_upgrades = yes(*stanza, "ButAutomaticUpgrades");
  release.all_in_each_architecture = stanza->get("No-Support-for-Architecture-all") == "Packages";
  if (!stanza->has("SHA256")) {
    return fail(ErrorCode::integrity,
                "{} has no SHA256 list; repositories with only MD5 or SHA1 cannot be trusted", what);
  }
  TRY(add_files(stanza->get("SHA256"), release, what));
  TRY_ASSIGN(const Stanza* second, reader.next());
  if (second != nullptr)
    return fail(ErrorCode::integrity, "{}, line {}: expected one stanza", what, second->line);
  return release;
}

Status check_validity(const Release& release, Timestamp now, const std::string& what) {
  if (release.valid_until && *release.valid_until < now) {
    return fail(ErrorCode::untrusted, "{} was valid until {} and it is {}: use a mirror that is up to date",
                what, format_rfc3339(*release.valid_until), format_rfc3339(now));
  }
  if (release.date && *release.date > now + std::chrono::hours(24)) {
    return fail(ErrorCode::untrusted, "{} is dated {} and this machine's clock says {}: set the clock", what,
                format_rfc3339(*release.date), format_rfc3339(now));
  }
  return {};
}

int pin_priority(const Release& release) {
  if (!release.not_automatic) return 500;
  return release.but_automatic_upgrades ? 100 : 1;
}

std::string write_release(const Release& release) {
  std::string text;
  put(text, "Origin", release.origin);
  put(text, "Label", release.label);
  put(text, "Suite", release.suite);
  put(text, "Codename", release.codename);
  if (release.date) put(text, "Date", format_rfc5322(*release.date));
  if (release.valid_until) put(text, "Valid-Until", format_rfc5322(*release.valid_until));
  if (release.not_automatic) put(text, "NotAutomatic", "yes");
  if (release.but_automatic_upgrades) put(text, "ButAutomaticUpgrades", "yes");
  if (release.acquire_by_hash) put(text, "Acquire-By-Hash", "yes");
  if (release.all_in_each_architecture) put(text, "No-Support-for-Architecture-all", "Packages");
  put(text, "Architectures", fmt::format("{}", fmt::join(release.architectures, " ")));
  put(text, "Components", fmt::format("{}", fmt::join(release.components, " ")));
  put(text, "Description", release.description);
  text += "SHA256:\n";
  for (const auto& [path, file] : release.files)
    text += fmt::format(" {} {} {}\n", file.digest.hex(), file.size, path);
  return text;
}

}  // namespace sealift::pkgrepo::apt
