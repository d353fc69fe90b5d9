#include "lib/base/yaml.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace sealift::yaml {

struct NodeData {
  YAML::Node node;
  std::string file;
};

namespace {

constexpr std::size_t kMaxBytes = 1U << 20;
constexpr int kMaxDepth = 64;

/// Refuses what could make a small file expensive or ambiguous before the document is built.
class Guard final : public YAML::EventHandler {
 public:
  std::string problem;
  YAML::Mark where;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark, "only one document is allowed");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported");
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    enter(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    enter(mark);
  }
  void OnMapEnd() override { --depth_; }

 private:
  void enter(const YAML::Mark& mark) {
    if (++depth_ > kMaxDepth) refuse(mark, "nested more than 64 levels deep");
  }
  void refuse(const YAML::Mark& mark, const char* why) {
    if (problem.empty()) {
      problem = why;
      where = mark;
    }
    // The parser offers no other way to stop it half-way; caught in parse().
    throw YAML::ParserException(mark, why);
  }
  int depth_ = 0;
  int documents_ = 0;
};

std::string place_of(const std::string& file, const YAML::Mark& mark) {
  if (mark.is_null()) return file;
  return fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1);
}

std::string_view kind_name(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  if (node.IsScalar()) return "a value";
  return "nothing";
}

/// yaml-cpp keeps the first of two equal keys silently; a person should be told.
const YAML::Node* duplicate_key(const YAML::Node& node, YAML::Node& storage) {
  if (node.IsMap()) {
    std::set<std::string> seen;
    for (const auto& member : node) {
      if (member.first.IsScalar() && !seen.insert(member.first.Scalar()).second) {
        storage.reset(member.first);
        return &storage;
      }
      if (const YAML::Node* found = duplicate_key(member.second, storage); found != nullptr) return found;
    }
  } else if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (const YAML::Node* found = duplicate_key(item, storage); found != nullptr) return found;
    }
  }
  return nullptr;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

/// YAML 1.2 core schema for a plain scalar.
json::Value typed_scalar(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  if (const auto [stop, error] = std::from_chars(text.data(), end, number);
      error == std::errc() && stop == end) {
    return number;
  }
  double real = 0;
  const bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (const auto [stop, error] = std::from_chars(text.data(), end, real);
      numeric && error == std::errc() && stop == end) {
    return real;
  }
  return json::Value(text);
}

json::Value to_json_value(const YAML::Node& node) {
  if (node.IsMap()) {
    json::Object object;
    for (const auto& member : node) object[member.first.Scalar()] = to_json_value(member.second);
    return object;
  }
  if (node.IsSequence()) {
    json::Array array;
    for (const YAML::Node& item : node) array.push_back(to_json_value(item));
    return array;
  }
  if (!node.IsScalar()) return nullptr;
  // yaml-cpp tags a quoted scalar "!" and a plain one "?".
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return json::Value(node.Scalar());
  return typed_scalar(node.Scalar());
}

}  // namespace

Result<Node> Node::parse(std::string_view text, std::string file) {
  if (text.size() > kMaxBytes) {
    return fail(ErrorCode::invalid_argument, "{}: {} bytes, more than the limit of 1 MiB", file, text.size());
  }
  const std::string copy(text);
  Guard guard;
  try {
    std::istringstream stream(copy);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(guard)) {
    }
    auto data = std::make_shared<NodeData>();
    data->node.reset(YAML::Load(copy));
    data->file = std::move(file);
    YAML::Node storage;
    if (const YAML::Node* twice = duplicate_key(data->node, storage); twice != nullptr) {
      return fail(ErrorCode::invalid_argument, "{}: the key \"{}\" is given twice",
                  place_of(data->file, twice->Mark()), twice->Scalar());
    }
    return Node(std::move(data));
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::invalid_argument, "{}: {}", place_of(file, error.mark), error.msg);
  }
}

bool Node::is_map() const { return data_->node.IsMap(); }
bool Node::is_list() const { return data_->node.IsSequence(); }
bool Node::is_scalar() const { return data_->node.IsScalar(); }
bool Node::is_null() const { return !data_->node.IsDefined() || data_->node.IsNull(); }

std::string Node::place() const { return place_of(data_->file, data_->node.Mark()); }

Status Node::only(std::initializer_list<std::string_view> known) const {
  if (is_null()) return {};
  if (!is_map()) return error("expected a map, found {}", kind_name(data_->node));
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& member : data_->node) {
    const std::string place = place_of(data_->file, member.first.Mark());
    if (!member.first.IsScalar())
      return fail(ErrorCode::invalid_argument, "{}: a key must be a plain word", place);
    const std::string& key = member.first.Scalar();
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    const auto near = nearest(key, names);
    return fail(ErrorCode::invalid_argument, "{}: unknown key \"{}\"{}; known here: {}", place, key,
                near ? fmt::format(", did you mean \"{}\"?", *near) : "", fmt::join(names, ", "));
  }
  return {};
}

Result<std::optional<Node>> Node::find(std::string_view key) const {
  if (is_null()) return std::optional<Node>();
  if (!is_map()) return error("expected a map, found {}", kind_name(data_->node));
  const YAML::Node& map = data_->node;
  const YAML::Node child = map[std::string(key)];
  if (!child.IsDefined() || child.IsNull()) return std::optional<Node>();
  auto data = std::make_shared<NodeData>();
  data->node.reset(child);
  data->file = data_->file;
  return std::optional<Node>(Node(std::move(data)));
}

Result<Node> Node::get(std::string_view key) const {
  TRY_ASSIGN(auto child, find(key));
  if (!child) return error("\"{}\" is missing", key);
  return std::move(*child);
}

Result<std::string> Node::string() const {
  if (!is_scalar()) return error("expected a string, found {}", kind_name(data_->node));
  return data_->node.Scalar();
}

Result<std::string> Node::string(std::string_view key) const {
  TRY_ASSIGN(const Node child, get(key));
  return child.string();
}

Result<std::string> Node::string_or(std::string_view key, std::string_view fallback) const {
  TRY_ASSIGN(const auto child, find(key));
  if (!child) return std::string(fallback);
  return child->string();
}

Result<std::uint64_t> Node::unsigned_integer() const {
  TRY_ASSIGN(const std::string text, string());
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stop != end) return error("expected a whole number, found \"{}\"", text);
  return value;
}

Result<std::uint64_t> Node::unsigned_integer_or(std::string_view key, std::uint64_t fallback) const {
  TRY_ASSIGN(const auto child, find(key));
  if (!child) return fallback;
  return child->unsigned_integer();
}

Result<bool> Node::boolean_or(std::string_view key, bool fallback) const {
  TRY_ASSIGN(const auto child, find(key));
  if (!child) return fallback;
  TRY_ASSIGN(const std::string text, child->string());
  if (text == "true") return true;
  if (text == "false") return false;
  return child->error("expected true or false, found \"{}\"", text);
}

Result<std::vector<Node>> Node::items() const {
  std::vector<Node> result;
  if (is_null()) return result;
  if (!is_list()) return error("expected a list, found {}", kind_name(data_->node));
  for (const YAML::Node& item : data_->node) {
    auto data = std::make_shared<NodeData>();
    data->node.reset(item);
    data->file = data_->file;
    result.push_back(Node(std::move(data)));
  }
  return result;
}

Result<std::vector<Node>> Node::items(std::string_view key) const {
  TRY_ASSIGN(const auto child, find(key));
  if (!child) return std::vector<Node>();
  return child->items();
}

Result<std::vector<std::string>> Node::strings(std::string_view key) const {
  TRY_ASSIGN(const auto nodes, items(key));
  std::vector<std::string> result;
  for (const Node& node : nodes) {
    TRY_ASSIGN(std::string text, node.string());
    result.push_back(std::move(text));
  }
  return result;
}

Result<std::vector<std::pair<std::string, Node>>> Node::members() const {
  std::vector<std::pair<std::string, Node>> result;
  if (is_null()) return result;
  if (!is_map()) return error("expected a map, found {}", kind_name(data_->node));
  for (const auto& member : data_->node) {
    if (!member.first.IsScalar()) return error("a key must be a plain word");
    auto data = std::make_shared<NodeData>();
    data->node.reset(member.second);
    data->file = data_->file;
    result.emplace_back(member.first.Scalar(), Node(std::move(data)));
  }
  return result;
}

Result<std::vector<std::pair<std::string, Node>>> Node::members(std::string_view key) const {
  TRY_ASSIGN(const auto child, find(key));
  if (!child) return std::vector<std::pair<std::string, Node>>();
  return child->members();
}

Result<json::Value> Node::to_json() const {
  try {
    return to_json_value(data_->node);
  } catch (const YAML::Exception& problem) {
    return fail(ErrorCode::invalid_argument, "{}: {}", place_of(data_->file, problem.mark), problem.msg);
  }
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  // Two letters swapped are a distance of two, also in a short word.
  std::size_t best_distance =
      std::max(word.size() / 3, std::min<std::size_t>(2, word.size() / 2 + word.size() % 2));
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance <= best_distance && (!best || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace sealift::yaml
