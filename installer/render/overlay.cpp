#include "installer/render/overlay.hpp"

#include <algorithm>

#include "installer/inventory/arguments.hpp"

namespace sealift::installer {
namespace {

using json::Array;
using json::Object;
using json::Value;

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
