#include "installer/render/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "lib/base/ascii.hpp"

namespace sealift::installer {
namespace {

/// Words that some YAML parser takes for something other than a text.
bool is_ambiguous(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kWords{"true", "false", "yes", "no", "on",
                                                           "off",  "null",  "y",   "n",  "nan"};
  return std::find(kWords.begin(), kWords.end(), ascii_lower(text)) != kWords.end();
}

bool is_plain(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || is_ambiguous(text) || !(letter(text.front()) || text.front() == '/')) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

std::string scalar(const json::Value& value) {
  if (const auto* text = value.if_string(); text != nullptr && is_plain(*text)) return std::string(*text);
  if (const auto* array = value.if_array(); array != nullptr && array->empty()) return "[]";
  if (const auto* object = value.if_object(); object != nullptr && object->empty()) return "{}";
  return json::serialize(value);  // a JSON string is a double-quoted YAML one
}

bool is_block(const json::Value& value) {
  return (value.is_object() && !value.get_object().empty()) ||
         (value.is_array() && !value.get_array().empty());
}

void append(std::string& out, const json::Value& value, std::size_t indent);

void append_members(std::string& out, const json::Object& object, std::size_t indent,
                    std::size_t first_indent) {
  std::size_t at = first_indent;
  for (const auto& [key, member] : object) {
    out.append(at, ' ');
    at = indent;
    out += scalar(json::Value(key)) + ":";
    if (is_block(member)) {
      out += '\n';
      append(out, member, indent + (member.is_object() ? 2 : 0));
    } else {
      out += ' ' + scalar(member) + '\n';
    }
  }
}

void append(std::string& out, const json::Value& value, std::size_t indent) {
  if (const auto* object = value.if_object(); object != nullptr && !object->empty())
    return append_members(out, *object, indent, indent);
  const auto* array = value.if_array();
  if (array == nullptr || array->empty()) {
    out.append(indent, ' ');
    out += scalar(value) + '\n';
    return;
  }
  for (const json::Value& item : *array) {
    out.append(indent, ' ');
    out += "- ";
    if (const auto* object = item.if_object(); object != nullptr && !object->empty())
      append_members(out, *object, indent + 2, 0);
    else if (is_block(item))
      out += json::serialize(item) + '\n';
    else
      out += scalar(item) + '\n';
  }
}

}  // namespace

std::string to_yaml(const json::Value& value) {
  std::string out;
  append(out, value, 0);
  return out;
}

std::string to_yaml_stream(const std::vector<json::Value>& documents) {
  std::string out;
  for (const json::Value& document : documents) {
    if (!out.empty()) out += "---\n";
    out += to_yaml(document);
  }
  return out;
}

}  // namespace sealift::installer
