#include <limits>
#include <optional>
#include <set>
#include <type_traits>

#include "installer/host/step_fields.hpp"

namespace sealift::installer {

namespace {

class Writer {
 public:
  explicit Writer(bool only_wish) : only_wish_(only_wish) {}

  template <typename T>
  void operator()(std::string_view key, T& value, Rule = Rule::any, Part part = Part::wish) {
    if (only_wish_ && part != Part::wish) return;
    object_[key] = convert(value);
  }
  template <typename T>
  json::Object write(const T& value) {
    T copy = value;  // the field lists serve both directions and take references
    fields(*this, copy);
    return std::move(object_);
  }

 private:
  template <typename T>
  json::Value convert(const T& value) const {
    if constexpr (std::is_same_v<T, std::string>) {
      return json::Value(value);
    } else if constexpr (std::is_same_v<T, std::chrono::seconds>) {
      return json::Value(static_cast<std::uint64_t>(value.count()));
    } else if constexpr (std::is_same_v<T, Secrecy>) {
      return json::Value(value == Secrecy::secret ? "secret" : "open");
    } else if constexpr (std::is_same_v<T, Wanted>) {
      return json::Value(value == Wanted::yes ? "yes" : value == Wanted::no ? "no" : "leave");
    } else if constexpr (std::is_same_v<T, Digest>) {
      return json::Value(value.str());
    } else if constexpr (std::is_integral_v<T>) {
      return json::Value(static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
      json::Object map;
      for (const auto& [name, text] : value) map[name] = text;
      return map;
    } else if constexpr (std::is_same_v<T, Condition>) {
      return std::visit(
          [&](const auto& condition) {
            json::Object object = Writer(only_wish_).write(condition);
            object["kind"] = kind_name<std::decay_t<decltype(condition)>>();
            return json::Value(std::move(object));
          },
          value);
    } else if constexpr (requires { value.begin(); }) {
      json::Array array;
      for (const auto& item : value) array.push_back(convert(item));
      return array;
    } else {
      return Writer(only_wish_).write(value);
    }
  }

  bool only_wish_;
  json::Object object_;
};

/// Fills one struct from one object; remembers the first error and refuses members nobody asked for.
class Filler {
 public:
  Filler(const json::Object& object, std::string path) : object_(&object), path_(std::move(path)) {}

  template <typename T>
  void operator()(std::string_view key, T& value, Rule rule = Rule::any, Part = Part::wish) {
    known_.insert(std::string(key));
    const json::Value* found = object_->if_contains(key);
    if (error_ || found == nullptr) {
      if (!error_) check_rule(key, value, rule);
      return;
    }
    Status status = read(*found, value, member(key));
    if (!status) {
      error_ = status.error();
      return;
    }
    check_rule(key, value, rule);
  }

  template <typename T>
  Result<T> fill(std::initializer_list<std::string_view> also_known) {
    for (const std::string_view key : also_known) known_.emplace(key);
    T value{};
    fields(*this, value);
    if (error_) return tl::unexpected(*error_);
    for (const auto& item : *object_) {
      if (!known_.contains(std::string(item.key()))) {
        return fail(ErrorCode::integrity, "{}: unknown member", member(item.key()));
      }
    }
    return value;
  }

  template <typename Variant, std::size_t Index = 0>
  static Result<Variant> fill_variant(const json::Object& object, const std::string& path,
                                      std::string_view kind,
                                      std::initializer_list<std::string_view> also_known) {
    if constexpr (Index == std::variant_size_v<Variant>) {
      return fail(ErrorCode::integrity, "{}: unknown kind {:?}", path, kind);
    } else {
      using T = std::variant_alternative_t<Index, Variant>;
      if (kind != kind_name<T>()) return fill_variant<Variant, Index + 1>(object, path, kind, also_known);
      TRY_ASSIGN(T value, Filler(object, path).fill<T>(also_known));
      return Variant(std::move(value));
    }
  }

 private:
  std::string member(std::string_view key) const { return fmt::format("{}.{}", path_, key); }

  static tl::unexpected<Error> wrong(const std::string& path, std::string_view expected) {
    return fail(ErrorCode::integrity, "{}: expected {}", path, expected);
  }

  template <typename T>
  static Status read_number(const json::Value& from, T& to, const std::string& path, std::uint64_t limit) {
    std::uint64_t number = 0;
    if (from.is_uint64()) {
      number = from.get_uint64();
    } else if (from.is_int64() && from.get_int64() >= 0) {
      number = static_cast<std::uint64_t>(from.get_int64());
    } else {
      return wrong(path, "a number, zero or more");
    }
    if (number > limit) return wrong(path, fmt::format("a number up to {}, found {}", limit, number));
    to = static_cast<T>(number);
    return {};
  }

  template <typename T>
  static Status read(const json::Value& from, T& to, const std::string& path) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (!from.is_string()) return wrong(path, "a string");
      to = std::string(from.get_string());
      return {};
    } else if constexpr (std::is_same_v<T, std::chrono::seconds>) {
      std::int64_t seconds = 0;
      TRY(read_number(from, seconds, path, 86400));
      to = std::chrono::seconds(seconds);
      return {};
    } else if constexpr (std::is_same_v<T, Secrecy>) {
      if (from == json::Value("open")) return to = Secrecy::open, Status{};
      if (from == json::Value("secret")) return to = Secrecy::secret, Status{};
      return wrong(path, "\"open\" or \"secret\"");
    } else if constexpr (std::is_same_v<T, Wanted>) {
      if (from == json::Value("yes")) return to = Wanted::yes, Status{};
      if (from == json::Value("no")) return to = Wanted::no, Status{};
      if (from == json::Value("leave")) return to = Wanted::leave, Status{};
      return wrong(path, "\"yes\", \"no\" or \"leave\"");
    } else if constexpr (std::is_same_v<T, Digest>) {
      if (!from.is_string()) return wrong(path, "a digest");
      TRY_ASSIGN(to, within(Digest::parse(from.get_string()), path));
      return {};
    } else if constexpr (std::is_integral_v<T>) {
      return read_number(from, to, path, static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
      if (!from.is_object()) return wrong(path, "an object of strings");
      for (const auto& item : from.get_object()) {
        if (!item.value().is_string()) return wrong(path, "an object of strings");
        to[std::string(item.key())] = std::string(item.value().get_string());
      }
      return {};
    } else if constexpr (std::is_same_v<T, Condition>) {
      if (!from.is_object()) return wrong(path, "an object");
      const json::Value* kind = from.get_object().if_contains("kind");
      if (kind == nullptr || !kind->is_string()) return wrong(path + ".kind", "a string");
      TRY_ASSIGN(to, fill_variant<Condition>(from.get_object(), path, kind->get_string(), {"kind"}));
      return {};
    } else if constexpr (requires { to.push_back({}); }) {
      if (!from.is_array()) return wrong(path, "an array");
      to.clear();
      for (std::size_t index = 0; index < from.get_array().size(); ++index) {
        typename T::value_type item{};
        TRY(read(from.get_array()[index], item, fmt::format("{}[{}]", path, index)));
        to.push_back(std::move(item));
      }
      return {};
    } else {
      if (!from.is_object()) return wrong(path, "an object");
      Filler filler(from.get_object(), path);
      return filler.fill_into(to);
    }
  }

  template <typename T>
  Status fill_into(T& value) {
    fields(*this, value);
    if (error_) return tl::unexpected(*error_);
    for (const auto& item : *object_) {
      if (!known_.contains(std::string(item.key()))) return wrong(member(item.key()), "no such member");
    }
    return {};
  }

  template <typename T>
  void check_rule(std::string_view key, const T& value, Rule rule) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (rule == Rule::filled && value.empty()) refuse(key, "a text that is not empty");
      if ((rule == Rule::path || (rule == Rule::path_or_empty && !value.empty())) && !is_clean_path(value)) {
        refuse(key, fmt::format("an absolute path without \".\" and \"..\", found {:?}", value));
      }
      if (rule == Rule::name && !is_plain_name(value))
        refuse(key, fmt::format("a plain name, found {:?}", value));
    } else if constexpr (std::is_same_v<T, unsigned>) {
      if (rule == Rule::mode && value > 0777) refuse(key, "file permissions up to 0777");
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      if (rule == Rule::filled && (value.empty() || value.front().empty())) refuse(key, "at least one text");
      for (const std::string& item : value) {
        if (rule == Rule::name && !is_plain_name(item))
          refuse(key, fmt::format("plain names, found {:?}", item));
      }
    }
  }
  void refuse(std::string_view key, std::string_view expected) {
    if (!error_) error_ = wrong(member(key), expected).value();
  }

  const json::Object* object_;
  std::string path_;
  std::set<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace

std::string_view kind_of(const Action& action) {
  return std::visit([](const auto& value) { return kind_name<std::decay_t<decltype(value)>>(); }, action);
}

json::Value to_json(const Step& step) {
  json::Object object{{"id", step.id}, {"kind", kind_of(step.action)}, {"hint", step.hint}};
  json::Object action = std::visit([](const auto& value) { return Writer(false).write(value); }, step.action);
  for (auto& item : action) object[item.key()] = std::move(item.value());
  return object;
}

Result<Step> step_from_json(const json::Value& value, const std::string& what) {
  TRY_ASSIGN(const json::Reader reader, json::Reader::of(value, what));
  Step step;
  TRY_ASSIGN(step.id, reader.string("id"));
  if (step.id.empty() || step.id.size() > 300 || step.id.find_first_of("\n\r") != std::string::npos) {
    return fail(ErrorCode::integrity, "{}: id must be one line of 1 to 300 characters", what);
  }
  TRY_ASSIGN(const std::string kind, reader.string("kind"));
  TRY_ASSIGN(step.hint, reader.string_or("hint", ""));
  TRY_ASSIGN(step.action, Filler::fill_variant<Action>(reader.raw(), fmt::format("step {}", step.id), kind,
                                                       {"id", "kind", "hint"}));
  if (const auto* run = std::get_if<Run>(&step.action);
      run != nullptr && !run->mark.empty() && run->creates.empty())
    return fail(ErrorCode::integrity, "step {}: mark is text for the file in creates, which is missing",
                step.id);
  return step;
}

Digest fingerprint(const Action& action) {
  json::Object object = std::visit([](const auto& value) { return Writer(true).write(value); }, action);
  object["kind"] = kind_of(action);
  return digest_of(json::serialize(object));
}

}  // namespace sealift::installer
