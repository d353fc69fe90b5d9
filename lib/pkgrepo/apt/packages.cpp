#include "lib/pkgrepo/apt/packages.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "lib/base/files.hpp"
#include "lib/pkgrepo/apt/deb822.hpp"
#include "lib/pkgrepo/apt/version.hpp"

namespace sealift::pkgrepo::apt {
namespace {

constexpr std::array<std::string_view, 8> kRepositoryFields{
    "Filename", "Size", "MD5sum", "SHA1", "SHA256", "SHA512", "SHA384", "Phased-Update-Percentage"};

constexpr std::array<std::pair<std::string_view, Priority>, 5> kPriorities{
    {{"required", Priority::required},
     {"important", Priority::important},
     {"standard", Priority::standard},
     {"optional", Priority::optional},
     {"extra", Priority::extra}}};

Priority priority_of(std::string_view word) {
  for (const auto& [name, priority] : kPriorities) {
    if (equals_ignoring_case(name, word)) return priority;
  }
  return Priority::extra;
}

MultiArch multi_arch_of(std::string_view word) {
  if (word == "same") return MultiArch::same;
  if (word == "foreign") return MultiArch::foreign;
  return word == "allowed" ? MultiArch::allowed : MultiArch::no;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Where a field goes in Package.
using Target = std::string_view Package::*;
constexpr std::array<std::pair<std::string_view, Target>, 12> kFields{
    {{"Package", &Package::name},
     {"Version", &Package::version},
     {"Architecture", &Package::architecture},
     {"Source", &Package::source},
     {"Pre-Depends", &Package::pre_depends},
     {"Depends", &Package::depends},
     {"Recommends", &Package::recommends},
     {"Provides", &Package::provides},
     {"Conflicts", &Package::conflicts},
     {"Breaks", &Package::breaks},
     {"Filename", &Package::filename},
     {"SHA256", &Package::sha256}}};

Result<Package> package_of(const Stanza& stanza, const std::string& what) {
  const auto refuse = [&](std::string_view problem) {
    return fail(ErrorCode::integrity, "{}, line {}: package '{}' {}", what, stanza.line,
                stanza.get("Package"), problem);
  };
  Package package;
  package.stanza = stanza.text;
  for (const Field& field : stanza.fields) {
    for (const auto& [name, target] : kFields) {
      if (equals_ignoring_case(field.name, name)) package.*target = field.value;
    }
    if (equals_ignoring_case(field.name, "Multi-Arch")) package.multi_arch = multi_arch_of(field.value);
    if (equals_ignoring_case(field.name, "Priority")) package.priority = priority_of(field.value);
    if (equals_ignoring_case(field.name, "Essential"))
      package.essential = equals_ignoring_case(field.value, "yes");
    if (equals_ignoring_case(field.name, "Size")) {
      const auto* end = field.value.data() + field.value.size();
      const auto [stop, error] = std::from_chars(field.value.data(), end, package.size);
      if (error != std::errc() || stop != end) return refuse("has a Size that is not a number");
    }
  }
  if (!is_package_name(package.name)) return refuse("has no sound name");
  if (!is_version(package.version)) return refuse("has no sound Version");
  if (!is_package_name(package.architecture)) return refuse("has no sound Architecture");
  if (!package.sha256.empty() && !is_sha256(package.sha256)) return refuse("has a SHA256 that is none");
  if (package.filename.starts_with("./")) package.filename.remove_prefix(2);  // flat repositories
  if (!package.filename.empty() && (!is_confined_path(package.filename) ||
                                    package.filename.find_first_of("\n\t ?#\\") != std::string_view::npos)) {
    return refuse("has a Filename that is not a plain path inside the repository");
  }
  // "Source: name (version)"
  package.source = trimmed(package.source.substr(0, package.source.find('(')));
  if (!is_package_name(package.source)) package.source = package.name;
  return package;
}

/// "install ok installed": the third word is the state.
bool is_installed(const Stanza& stanza) {
  const auto status = words(stanza.get("Status"));
  return status.size() == 3 &&
         (status[2] == "installed" || status[2] == "triggers-pending" || status[2] == "triggers-awaited");
}

Status check_size(const std::string& text, const std::string& what) {
  if (text.size() <= kMaxIndexBytes) return {};
  return fail(ErrorCode::integrity, "{} has {} bytes; at most {} are read", what, text.size(),
              kMaxIndexBytes);
}

}  // namespace

Result<PackageIndex> PackageIndex::parse_packages(std::string text, const std::string& what) {
  TRY(check_size(text, what));
  PackageIndex index;
  index.text_ = std::make_unique<const std::string>(std::move(text));
  StanzaReader reader(*index.text_, what);
  for (;;) {
    TRY_ASSIGN(const Stanza* stanza, reader.next());
    if (stanza == nullptr) return index;
    TRY_ASSIGN(const Package package, package_of(*stanza, what));
    if (package.filename.empty()) {
      return fail(ErrorCode::integrity, "{}, line {}: package '{}' has no Filename", what, stanza->line,
                  package.name);
    }
    index.packages_.push_back(package);
  }
}

Result<PackageIndex> PackageIndex::parse_status(std::string text, const std::string& what) {
  TRY(check_size(text, what));
  PackageIndex index;
  index.text_ = std::make_unique<const std::string>(std::move(text));
  StanzaReader reader(*index.text_, what);
  for (;;) {
    TRY_ASSIGN(const Stanza* stanza, reader.next());
    if (stanza == nullptr) return index;
    if (!stanza->has("Status")) {
      return fail(ErrorCode::integrity,
                  "{}, line {}: package '{}' has no Status; expected dpkg's status file", what, stanza->line,
                  stanza->get("Package"));
    }
    if (!is_installed(*stanza)) continue;
    TRY_ASSIGN(const Package package, package_of(*stanza, what));
    index.packages_.push_back(package);
  }
}

Result<std::string> portable_control(std::string_view stanza, const std::string& what) {
  StanzaReader reader(stanza, what);
  TRY_ASSIGN(const Stanza* parsed, reader.next());
  if (parsed == nullptr) return fail(ErrorCode::integrity, "{}: an empty stanza", what);
  std::string control;
  for (const Field& field : parsed->fields) {
    const bool skipped =
        std::any_of(kRepositoryFields.begin(), kRepositoryFields.end(),
                    [&](std::string_view name) { return equals_ignoring_case(name, field.name); });
    if (skipped) continue;
    const auto separator = field.value.starts_with('\n') || field.value.empty() ? "" : " ";
    control += fmt::format("{}:{}{}\n", field.name, separator, field.value);
  }
  TRY_ASSIGN(const Stanza* second, reader.next());
  if (second != nullptr) return fail(ErrorCode::integrity, "{}: expected one stanza", what);
  return control;
}

}  // namespace sealift::pkgrepo::apt
