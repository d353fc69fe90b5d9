/// Reading people's YAML: errors give file, line and column, and the nearest known key for a misspelt one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::yaml {

struct NodeData;  // wraps the parser's node; its headers stay in yaml.cpp

/// One node of a document. Cheap to copy. Every error reads "<file>:<line>:<column>: ...".
class Node {
 public:
  /// Parses one document of at most 1 MiB, nesting at most 64; aliases (`*x`) are refused. `file` names it in
  /// errors.
  static Result<Node> parse(std::string_view text, std::string file);

  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;
  bool is_null() const;

  /// Fails for a map with a key not in `known`, suggesting the nearest one.
  Status only(std::initializer_list<std::string_view> known) const;
  /// The value under `key`; nullopt when absent or null. Fails when this is not a map.
  Result<std::optional<Node>> find(std::string_view key) const;
  /// The value under `key`, which must be there.
  Result<Node> get(std::string_view key) const;

  Result<std::string> string() const;
  Result<std::string> string(std::string_view key) const;
  Result<std::string> string_or(std::string_view key, std::string_view fallback) const;
  Result<std::uint64_t> unsigned_integer() const;
  Result<std::uint64_t> unsigned_integer_or(std::string_view key, std::uint64_t fallback) const;
  Result<bool> boolean_or(std::string_view key, bool fallback) const;
  /// The list of strings under `key`; absent is empty.
  Result<std::vector<std::string>> strings(std::string_view key) const;
  /// The items of a list.
  Result<std::vector<Node>> items() const;
  /// The items of the list under `key`; absent is empty.
  Result<std::vector<Node>> items(std::string_view key) const;
  /// The members of a map in the order of the file.
  Result<std::vector<std::pair<std::string, Node>>> members() const;
  Result<std::vector<std::pair<std::string, Node>>> members(std::string_view key) const;

  /// The whole subtree as JSON: plain scalars are typed by the YAML 1.2 core schema, quoted ones stay
  /// strings.
  Result<json::Value> to_json() const;

  /// An error at this node's place.
  template <typename... Args>
  tl::unexpected<Error> error(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::invalid_argument, "{}: {}", place(),
                fmt::format(format, std::forward<Args>(args)...));
  }
  /// "bundle.yaml:12:3"
  std::string place() const;

 private:
  explicit Node(std::shared_ptr<const NodeData> data) : data_(std::move(data)) {}
  std::shared_ptr<const NodeData> data_;
};

/// The word of `known` that is nearest to `word` (edit distance at most a third of its length, or 2), or
/// none.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace sealift::yaml
