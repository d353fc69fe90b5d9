#include "installer/inventory/arguments.hpp"

namespace sealift::installer {
namespace {

using json::Array;
using json::Object;
using json::Value;

/// extraArgs as text: kubeadm takes nothing else, people write numbers.
Result<Value> argument_text(const std::string& name, const Value& value) {
  if (value.is_null() || value.is_string()) return value;
  if (value.is_bool()) return Value(value.get_bool() ? "true" : "false");
  if (value.is_double()) return Value(fmt::format("{}", value.get_double()));
  if (value.is_number()) return Value(fmt::format("{}", value.to_number<std::int64_t>()));
  return fail(ErrorCode::invalid_argument, "the value of argument '{}' is not a text", name);
}

/// One extraArgs of either form, a map or a list of {name, value}, as such a list.
Result<Array> argument_list(const Value& arguments) {
  Array list;
  const auto add = [&](const std::string& name, const Value& value) -> Status {
    TRY_ASSIGN(Value text, argument_text(name, value));
    list.push_back(Object{{"name", name}, {"value", std::move(text)}});
    return {};
  };
  if (const auto* map = arguments.if_object()) {
    for (const auto& [name, value] : *map) TRY(add(name, value));
    return list;
  }
  const auto* items = arguments.if_array();
  if (items == nullptr)
    return fail(ErrorCode::invalid_argument, "neither a map nor a list of name and value");
  for (const Value& item : *items) {
    const auto* entry = item.if_object();
    const auto* name = entry == nullptr ? nullptr : entry->if_contains("name");
    const auto* value = entry == nullptr ? nullptr : entry->if_contains("value");
    if (name == nullptr || value == nullptr || !name->is_string())
      return fail(ErrorCode::invalid_argument, "an entry without name and value");
    TRY(add(std::string(name->get_string()), *value));
  }
  return list;
}

}  // namespace

bool holds_arguments(std::string_view key) { return key == "extraArgs" || key == "kubeletExtraArgs"; }

Status convert_arguments(Value& value, const std::string& path,
                         const std::function<Result<Value>(const Value&)>& convert) {
  auto* object = value.if_object();
  if (object == nullptr) return {};
  for (auto& [key, member] : *object) {
    const std::string place = fmt::format("{}.{}", path, std::string_view(key));
    if (member.is_null()) continue;  // removes what we have there
    if (holds_arguments(key)) {
      TRY_ASSIGN(member, within(convert(member), place));
    } else {
      TRY(convert_arguments(member, place, convert));
    }
  }
  return {};
}

Status arguments_as_lists(Value& document, const std::string& path) {
  return convert_arguments(document, path, [](const Value& arguments) -> Result<Value> {
    TRY_ASSIGN(Array list, argument_list(arguments));
    return Value(std::move(list));
  });
}

}  // namespace sealift::installer
