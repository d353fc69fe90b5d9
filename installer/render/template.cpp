#include "installer/render/template.hpp"

#include <algorithm>

#include <kainjow/mustache.hpp>

#include "installer/embedded_templates.hpp"

namespace sealift::installer {
namespace {

namespace mustache = kainjow::mustache;

Result<mustache::data> to_data(const json::Value& value);

Result<mustache::data> from_object(const json::Object& object) {
  mustache::data result(mustache::data::type::object);
  for (const auto& [key, member] : object) {
    TRY_ASSIGN(mustache::data data, to_data(member));
    result.set(std::string(key), std::move(data));
  }
  return result;
}

Result<mustache::data> to_data(const json::Value& value) {
  if (const auto* text = value.if_string()) {
    if (std::any_of(text->begin(), text->end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
      return fail(ErrorCode::invalid_argument,
                  "'{}' holds a line break or control character and cannot stand in a configuration file",
                  std::string_view(*text));
    // An empty text leaves its section out.
    return text->empty() ? mustache::data(false) : mustache::data(std::string(*text));
  }
  if (const auto* truth = value.if_bool()) return mustache::data(*truth);
  if (const auto* number = value.if_int64()) return mustache::data(std::to_string(*number));
  if (const auto* number = value.if_uint64()) return mustache::data(std::to_string(*number));
  if (const auto* object = value.if_object()) return from_object(*object);
  mustache::data list(mustache::data::type::list);
  if (const auto* array = value.if_array())
    for (const json::Value& item : *array) {
      TRY_ASSIGN(mustache::data data, to_data(item));
      list.push_back(std::move(data));
    }
  return list;
}

}  // namespace

Result<std::string> fill_template(std::string_view name, const json::Object& values) {
  const auto* found = std::find_if(std::begin(kTemplates), std::end(kTemplates),
                                   [&](const EmbeddedTemplate& entry) { return entry.name == name; });
  if (found == std::end(kTemplates)) return fail(ErrorCode::internal, "there is no template '{}'", name);
  mustache::mustache text{std::string(found->text)};
  if (!text.is_valid()) return fail(ErrorCode::internal, "template '{}': {}", name, text.error_message());
  text.set_custom_escape([](const std::string& plain) { return plain; });
  TRY_ASSIGN(mustache::data data, within(from_object(values), fmt::format("writing {}", name)));
  return text.render(data);
}

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const EmbeddedTemplate& entry : kTemplates) names.emplace_back(entry.name);
  return names;
}

}  // namespace sealift::installer
