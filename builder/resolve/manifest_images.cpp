#include "builder/resolve/manifest_images.hpp"

#include <algorithm>
#include <array>

#include "lib/base/json.hpp"
#include "lib/base/yaml.hpp"
#include "lib/oci/reference.hpp"

namespace sealift::builder {

namespace {

constexpr std::array<std::string_view, 3> kContainerLists = {"containers", "initContainers",
                                                             "ephemeralContainers"};

bool is_one_of(std::string_view key, const std::array<std::string_view, 3>& keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// A reference that can hardly be anything else: an explicit registry with a dot or port, and a tag or
/// digest.
std::optional<std::string> full_reference(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, slash);
  if (host != "localhost" && host.find_first_of(".:") == std::string_view::npos) return std::nullopt;
  if (text.find_first_of(":@", slash) == std::string_view::npos) return std::nullopt;
  const auto reference = oci::Reference::parse(text);
  if (!reference) return std::nullopt;
  return reference->str();
}

/// Walks one document.
class Finder {
 public:
  Finder(ManifestImages& images, std::string file) : images_(&images), file_(std::move(file)) {}

  Status walk(const json::Value& value, bool in_container, bool in_arguments) {
    if (const auto* object = value.if_object()) return walk_object(*object, in_container);
    if (const auto* array = value.if_array()) {
      for (const json::Value& item : *array) TRY(walk(item, in_container, in_arguments));
    } else if (value.is_string() && in_arguments) {
      mention(std::string_view(value.get_string()));
    }
    return {};
  }

 private:
  Status walk_object(const json::Object& object, bool in_container) {
    for (const auto& member : object) {
      const std::string_view key = member.key();
      const json::Value& value = member.value();
      if (key == "image" && value.is_string()) {
        TRY(name(std::string(value.get_string()), in_container));
      } else if (key == "image" && value.is_object() && value.get_object().contains("reference")) {
        // A volume of type image.
        const json::Value& reference = value.get_object().at("reference");
        if (reference.is_string()) TRY(name(std::string(reference.get_string()), false));
      } else {
        const bool arguments =
            in_container && (key == "args" || key == "command" || key == "env" || key == "value");
        TRY(walk(value, is_one_of(key, kContainerLists) || (in_container && key == "env"), arguments));
      }
    }
    return {};
  }

  Status name(const std::string& text, bool in_container) {
    const auto reference = oci::Reference::parse(text);
    if (reference) {
      images_->named.insert(reference->str());
      return {};
    }
    if (!in_container) {
      images_->unreadable.insert(text.substr(0, 200));
      return {};
    }
    return fail(ErrorCode::invalid_argument, "{}: a container's {}", file_, reference.error().message());
  }

  void mention(std::string_view text) {
    if (const std::size_t equals = text.find('='); equals != std::string_view::npos)
      text.remove_prefix(equals + 1);
    if (auto reference = full_reference(text)) images_->mentioned.insert(std::move(*reference));
  }

  ManifestImages* images_;
  std::string file_;
};

/// Each is parsed with the lines before it.
constexpr std::size_t kMaxDocuments = 5000;

bool begins_document(std::string_view line) {
  return line.starts_with("---") &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\r' || line[3] == '\t' || line[3] == '\n');
}

}  // namespace

Result<ManifestImages> find_images(std::string_view text, const std::string& file) {
  ManifestImages images;
  std::string document;
  std::size_t line_number = 0;
  std::size_t first_line = 1;
  std::size_t documents = 0;
  const auto finish = [&]() -> Status {
    if (++documents > kMaxDocuments)
      return fail(ErrorCode::invalid_argument, "{}: more than {} YAML documents", file, kMaxDocuments);
    // Blank lines in front keep the line numbers of errors right.
    const std::string padded = std::string(first_line - 1, '\n') + document;
    document.clear();
    if (padded.find_first_not_of(" \t\r\n") == std::string::npos) return {};
    TRY_ASSIGN(const yaml::Node node, yaml::Node::parse(padded, file));
    TRY_ASSIGN(const json::Value value, node.to_json());
    return Finder(images, file).walk(value, false, false);
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    ++line_number;
    if (begins_document(line)) {
      TRY(finish());
      first_line = line_number;
    }
    document += line;
  }
  TRY(finish());
  return images;
}

}  // namespace sealift::builder
