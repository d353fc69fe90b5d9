#include "lib/bundle/printable.hpp"

namespace sealift::bundle {

namespace {

constexpr std::size_t kEscapedBytes = 100;

/// UTF-8 of U+200E, U+200F, U+2028 to U+202E, and U+2066 to U+2069.
bool is_format_control(std::string_view three) {
  if (three.size() < 3 || three[0] != '\xe2') return false;
  const auto last = static_cast<unsigned char>(three[2]);
  if (three[1] == '\x80') return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
  return three[1] == '\x81' && last >= 0xa6 && last <= 0xa9;
}

/// UTF-8 of U+0080 to U+009F.
bool is_c1_control(std::string_view two) {
  return two.size() >= 2 && two[0] == '\xc2' && static_cast<unsigned char>(two[1]) < 0xa0;
}

tl::unexpected<Error> refused(std::string_view text, const std::string& what) {
  return fail(ErrorCode::integrity, "{}: expected text without control characters, found \"{}\"", what,
              escaped(text));
}

}  // namespace

bool is_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < ' ' || byte == 0x7f) return false;
    if (byte < 0x80) continue;
    if (is_c1_control(text.substr(i, 2)) || is_format_control(text.substr(i, 3))) return false;
  }
  return true;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kEscapedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte >= ' ' && byte < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return result;
}

Status check_printable(const json::Value& value, const std::string& what) {
  if (const auto* text = value.if_string()) {
    if (!is_printable(*text)) return refused(*text, what);
  } else if (const json::Array* array = value.if_array()) {
    for (const json::Value& item : *array) TRY(check_printable(item, what));
  } else if (const json::Object* object = value.if_object()) {
    for (const auto& member : *object) {
      if (!is_printable(member.key())) return refused(member.key(), what);
      TRY(check_printable(member.value(), what));
    }
  }
  return {};
}

}  // namespace sealift::bundle
