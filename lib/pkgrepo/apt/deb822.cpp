#include "lib/pkgrepo/apt/deb822.hpp"

#include <algorithm>

#include "lib/base/ascii.hpp"

namespace sealift::pkgrepo::apt {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxStanzaBytes = 4U << 20;
constexpr std::size_t kMaxFields = 512;
constexpr std::string_view kBlanks = " \t\r\n";

/// Policy 5.1: printable, neither blank nor colon, not beginning with '#' or '-'.
bool is_field_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name[0] == '#' || name[0] == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(kBlanks) == std::string_view::npos;
}

}  // namespace

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  for (;;) {
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return result;
    const auto end = std::min(text.find_first_of(kBlanks, begin), text.size());
    result.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

std::string_view Stanza::get(std::string_view name) const {
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

bool Stanza::has(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(),
                     [name](const Field& field) { return equals_ignoring_case(field.name, name); });
}

Status StanzaReader::add_line(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::integrity, "{}, line {}: a NUL byte", what_, line_);
  }
  if (line[0] == ' ' || line[0] == '\t') {
    if (stanza_.fields.empty()) {
      return fail(ErrorCode::integrity, "{}, line {}: a continuation line before any field", what_, line_);
    }
    Field& field = stanza_.fields.back();
    const char* begin = field.value.data();
    field.value = std::string_view(begin, static_cast<std::size_t>(line.data() + line.size() - begin));
    return {};
  }
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_field_name(name)) {
    return fail(ErrorCode::integrity, "{}, line {}: expected 'Name: value', found '{}'", what_, line_,
                line.substr(0, 60));
  }
  if (stanza_.has(name))
    return fail(ErrorCode::integrity, "{}, line {}: field {} appears twice", what_, line_, name);
  if (stanza_.fields.size() == kMaxFields) {
    return fail(ErrorCode::integrity, "{}, line {}: a stanza of more than {} fields", what_, line_,
                kMaxFields);
  }
  auto value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  stanza_.fields.push_back({name, value});
  return {};
}

Result<const Stanza*> StanzaReader::next() {
  stanza_.fields.clear();
  const char* begin = nullptr;
  while (!rest_.empty()) {
    const auto end = std::min(rest_.find('\n'), rest_.size());
    const auto line = rest_.substr(0, end);
    ++line_;
    if (is_blank_line(line)) {
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      if (begin != nullptr) break;
      continue;
    }
    if (begin == nullptr) {
      begin = line.data();
      stanza_.line = line_;
    }
    TRY(add_line(line));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    stanza_.text = std::string_view(begin, static_cast<std::size_t>(line.data() + line.size() - begin));
    if (stanza_.text.size() > kMaxStanzaBytes) {
      return fail(ErrorCode::integrity, "{}, line {}: a stanza of more than {} bytes", what_, line_,
                  kMaxStanzaBytes);
    }
  }
  if (begin == nullptr) return nullptr;
  for (Field& field : stanza_.fields) {
    const auto last = field.value.find_last_not_of(kBlanks);
    field.value = last == std::string_view::npos ? std::string_view() : field.value.substr(0, last + 1);
  }
  return &stanza_;
}

}  // namespace sealift::pkgrepo::apt
