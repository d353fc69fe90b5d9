#include "lib/base/json.hpp"

#include <cstring>
#include <new>

#include <boost/json/memory_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

namespace sealift::json {

namespace {

std::string_view kind_name(const Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "an array";
    case boost::json::kind::object:
      return "an object";
  }
  return "something else";
}

std::string member_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key)
                      : fmt::format("{}{}{}", path, path.find(": ") == std::string::npos ? ": " : ".", key);
}

tl::unexpected<Error> wrong_type(const std::string& path, std::string_view expected, const Value& found) {
  return fail(ErrorCode::integrity, "{}: expected {}, found {}", path, expected, kind_name(found));
}

void pretty(const Value& value, std::string& out, int depth) {
  const auto indent = [&](int level) { out.append(static_cast<std::size_t>(level) * 2, ' '); };
  if (const Object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{\n";
    std::size_t index = 0;
    for (const auto& member : *object) {
      indent(depth + 1);
      out += boost::json::serialize(Value(member.key()));
      out += ": ";
      pretty(member.value(), out, depth + 1);
      out += ++index < object->size() ? ",\n" : "\n";
    }
    indent(depth);
    out += '}';
  } else if (const Array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[\n";
    std::size_t index = 0;
    for (const Value& item : *array) {
      indent(depth + 1);
      pretty(item, out, depth + 1);
      out += ++index < array->size() ? ",\n" : "\n";
    }
    indent(depth);
    out += ']';
  } else {
    out += boost::json::serialize(value);
  }
}

/// Bytes of the UTF-8 character `text` begins with, 0 for anything else (Unicode, table 3-7).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
  if (first < 0xE0) return 2;
  if (!continues(2)) return 0;
  if (first < 0xF0) return (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ? 0 : 3;
  const bool in_range = !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
  return continues(3) && in_range ? 4 : 0;
}

/// How many of the first bytes are UTF-8.
std::size_t valid_prefix(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = kHighBits;
    if (at + sizeof eight <= text.size()) std::memcpy(&eight, text.data() + at, sizeof eight);
    const std::size_t size = (eight & kHighBits) == 0 ? sizeof eight : character_size(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return at;
}

boost::json::parse_options strict_options() {
  boost::json::parse_options options;
  options.max_depth = 64;
  return options;
}

tl::unexpected<Error> malformed(std::string_view what, const boost::json::error_code& error) {
  return fail(ErrorCode::integrity, "{} is not valid JSON: {}", what, error.message());
}

/// The heap up to a limit. One document is read by one thread.
class LimitedMemory final : public boost::json::memory_resource {
 public:
  explicit LimitedMemory(std::uint64_t limit_bytes) : left_(limit_bytes) {}

 private:
  // Boost.JSON 1.81 gives one alignment when it takes a key's memory and another when it returns it; neither
  // is more than what plain new gives.
  void* do_allocate(std::size_t size, std::size_t) override {
    if (size > left_) throw std::bad_alloc();
    void* memory = ::operator new(size);
    left_ -= size;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t size, std::size_t) override {
    left_ += size;
    ::operator delete(memory);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::uint64_t left_;
};

}  // namespace

Result<Value> parse(std::string_view text, std::string_view what) {
  boost::json::error_code error;
  Value value = boost::json::parse(text, error, {}, strict_options());
  if (error) return malformed(what, error);
  return value;
}

Result<Value> parse(std::string_view text, std::string_view what, std::uint64_t memory_limit_bytes) {
  const auto memory = boost::json::make_shared_resource<LimitedMemory>(memory_limit_bytes);
  try {
    // What the parser holds until an array ends counts, too.
    boost::json::parser parser(memory, strict_options());
    parser.reset(memory);
    boost::json::error_code error;
    parser.write(text, error);
    if (error) return malformed(what, error);
    return parser.release();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::integrity,
                "{}: reading its {} bytes of JSON would take more than {} bytes of memory: far more small "
                "values than such a document has",
                what, text.size(), memory_limit_bytes);
  }
}

bool can_hold(std::string_view text) { return valid_prefix(text) == text.size(); }

std::string to_utf8(std::string text) {
  std::size_t good = valid_prefix(text);
  if (good == text.size()) return text;
  std::string out;
  std::string_view rest = text;
  while (true) {
    out += rest.substr(0, good);
    if (good == rest.size()) return out;
    out += "\xEF\xBF\xBD";
    rest.remove_prefix(good + 1);
    good = valid_prefix(rest);
  }
}

std::string serialize(const Value& value) { return to_utf8(boost::json::serialize(value)); }

std::string serialize_pretty(const Value& value) {
  std::string out;
  pretty(value, out, 0);
  out += '\n';
  return to_utf8(std::move(out));
}

Result<Reader> Reader::of(const Value& value, std::string path) {
  const Object* object = value.if_object();
  if (object == nullptr) return wrong_type(path, "an object", value);
  return Reader(*object, std::move(path));
}

bool Reader::has(std::string_view key) const {
  const Value* value = object_->if_contains(key);
  return value != nullptr && !value->is_null();
}

Result<std::string> Reader::string(std::string_view key) const {
  const Value* value = object_->if_contains(key);
  if (value == nullptr) return fail(ErrorCode::integrity, "{} is missing", member_path(path_, key));
  if (!value->is_string()) return wrong_type(member_path(path_, key), "a string", *value);
  return std::string(value->get_string());
}

Result<std::string> Reader::string_or(std::string_view key, std::string_view fallback) const {
  if (!has(key)) return std::string(fallback);
  return string(key);
}

Result<std::uint64_t> Reader::unsigned_integer(std::string_view key) const {
  const Value* value = object_->if_contains(key);
  if (value == nullptr) return fail(ErrorCode::integrity, "{} is missing", member_path(path_, key));
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
  return wrong_type(member_path(path_, key), "a whole number from 0", *value);
}

Result<std::uint64_t> Reader::unsigned_integer_or(std::string_view key, std::uint64_t fallback) const {
  if (!has(key)) return fallback;
  return unsigned_integer(key);
}

Result<bool> Reader::boolean_or(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const Value& value = *object_->if_contains(key);
  if (!value.is_bool()) return wrong_type(member_path(path_, key), "true or false", value);
  return value.get_bool();
}

Result<Reader> Reader::object(std::string_view key) const {
  const Value* value = object_->if_contains(key);
  if (value == nullptr) return fail(ErrorCode::integrity, "{} is missing", member_path(path_, key));
  return of(*value, member_path(path_, key));
}

Result<std::vector<std::string>> Reader::strings(std::string_view key) const {
  std::vector<std::string> result;
  if (!has(key)) return result;
  const Value& value = *object_->if_contains(key);
  if (!value.is_array()) return wrong_type(member_path(path_, key), "an array", value);
  for (const Value& item : value.get_array()) {
    if (!item.is_string()) {
      return wrong_type(fmt::format("{}[{}]", member_path(path_, key), result.size()), "a string", item);
    }
    result.emplace_back(item.get_string());
  }
  return result;
}

Status Reader::each(std::string_view key, const std::function<Status(const Reader&)>& each) const {
  if (!has(key)) return {};
  const Value& value = *object_->if_contains(key);
  if (!value.is_array()) return wrong_type(member_path(path_, key), "an array", value);
  std::size_t index = 0;
  for (const Value& item : value.get_array()) {
    TRY_ASSIGN(const Reader reader, of(item, fmt::format("{}[{}]", member_path(path_, key), index++)));
    TRY(each(reader));
  }
  return {};
}

Result<std::vector<std::pair<std::string, std::string>>> Reader::string_map(std::string_view key) const {
  std::vector<std::pair<std::string, std::string>> result;
  if (!has(key)) return result;
  TRY_ASSIGN(const Reader map, object(key));
  for (const auto& member : map.raw()) {
    if (!member.value().is_string())
      return wrong_type(member_path(map.path(), member.key()), "a string", member.value());
    result.emplace_back(member.key(), member.value().get_string());
  }
  return result;
}

}  // namespace sealift::json
