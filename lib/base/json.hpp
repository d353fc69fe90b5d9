/// Reading foreign JSON safely: bounded, typed, and with errors that name the place ("images[2].digest").
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/fwd.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "lib/base/result.hpp"

namespace sealift::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

inline Array to_array(const std::vector<std::string>& texts) { return Array(texts.begin(), texts.end()); }

/// Strict RFC 8259, nesting at most 64. `what` names the document in errors.
Result<Value> parse(std::string_view text, std::string_view what);
/// The same, and ErrorCode::integrity when reading it would take more than `memory_limit_bytes`: "[[],[],..."
/// takes twelve times its size.
Result<Value> parse(std::string_view text, std::string_view what, std::uint64_t memory_limit_bytes);

/// Can a JSON string hold it? UTF-8 can.
bool can_hold(std::string_view text);

/// Every byte that is not part of UTF-8 is replaced by U+FFFD.
std::string to_utf8(std::string text);

/// Compact, object members in insertion order: the same value gives the same bytes. Always JSON: strings pass
/// to_utf8(). What must not be changed on the way is asked can_hold() first.
std::string serialize(const Value& value);
/// The same, indented by two spaces with a final newline.
std::string serialize_pretty(const Value& value);

/// Typed, path-aware access to one JSON object. Every getter fails with the path, the expected and the found
/// type.
class Reader {
 public:
  /// `path` names the object in errors ("bundle.json" or "bundle.json: images[2]"). The value must outlive
  /// the reader.
  static Result<Reader> of(const Value& value, std::string path);

  bool has(std::string_view key) const;
  Result<std::string> string(std::string_view key) const;
  Result<std::string> string_or(std::string_view key, std::string_view fallback) const;
  Result<std::uint64_t> unsigned_integer(std::string_view key) const;
  Result<std::uint64_t> unsigned_integer_or(std::string_view key, std::uint64_t fallback) const;
  Result<bool> boolean_or(std::string_view key, bool fallback) const;
  Result<Reader> object(std::string_view key) const;
  /// An absent array is empty.
  Result<std::vector<std::string>> strings(std::string_view key) const;
  /// Calls `each` with a reader of every object in the array `key`; an absent array is empty.
  Status each(std::string_view key, const std::function<Status(const Reader&)>& each) const;
  /// Every member of the object `key` as (name, string value); an absent object is empty.
  Result<std::vector<std::pair<std::string, std::string>>> string_map(std::string_view key) const;

  const Object& raw() const { return *object_; }
  const std::string& path() const { return path_; }

 private:
  Reader(const Object& object, std::string path) : object_(&object), path_(std::move(path)) {}
  const Object* object_;
  std::string path_;
};

}  // namespace sealift::json
