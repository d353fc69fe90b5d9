#include "installer/render/overlay.hpp"

#include <algorithm>
#include <functional>

namespace sealift::installer {
namespace {

using json::Array;
using json::Object;
using json::Value;

bool holds_arguments(std::string_view key) { return key == "extraArgs" || key == "kubeletExtraArgs"; }

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

/// v1beta4 has a list, and may repeat a name; older versions have a map.
Result<Value> argument_map(const Array& list) {
  Object map;
  for (const Value& item : list) {
    const auto& entry = item.get_object();
    const auto [place, fresh] = map.emplace(entry.at("name").get_string(), entry.at("value"));
    if (!fresh)
      return fail(ErrorCode::invalid_argument,
                  "argument '{}' is given twice, which kubeadm takes since Kubernetes 1.31 only",
                  std::string_view(entry.at("name").get_string()));
  }
  return Value(std::move(map));
}

/// Replaces every extraArgs in `value` by what `convert` makes of it; errors name the path.
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

/// Arguments of `changes` take the place of those with their name; with the value null they only take them
/// away.
Array merge_arguments(const Array& base, const Array& changes) {
  const auto named_in_changes = [&](const Value& item) {
    return std::any_of(changes.begin(), changes.end(),
                       [&](const Value& change) { return change.at("name") == item.at("name"); });
  };
  Array merged;
  for (const Value& item : base)
    if (!named_in_changes(item)) merged.push_back(item);
  for (const Value& change : changes)
    if (!change.at("value").is_null()) merged.push_back(change);
  return merged;
}

}  // namespace

Status arguments_as_lists(Value& document, const std::string& path) {
  return convert_arguments(document, path, [](const Value& arguments) -> Result<Value> {
    TRY_ASSIGN(Array list, argument_list(arguments));
    return Value(std::move(list));
  });
}

Status arguments_as_maps(Value& document, const std::string& path) {
  return convert_arguments(document, path, [](const Value& list) { return argument_map(list.get_array()); });
}

Value merge(Value base, const Value& overlay) {
  if (!base.is_object() || !overlay.is_object()) return overlay;
  Object& object = base.get_object();
  for (const auto& [key, member] : overlay.get_object()) {
    if (member.is_null())
      object.erase(key);
    else if (holds_arguments(key) && member.is_array())
      object[key] =
          merge_arguments(object.contains(key) ? object[key].get_array() : Array{}, member.get_array());
    else if (auto* present = object.if_contains(key))
      *present = merge(std::move(*present), member);
    else
      object[key] = member.is_object() ? merge(Object{}, member) : member;
  }
  return base;
}

}  // namespace sealift::installer
