/// Text that must not be seen: it prints as "***" wherever it is formatted.
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

namespace sealift::net {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  /// The text itself, for the one place that sends it.
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace sealift::net

template <>
struct fmt::formatter<sealift::net::Secret> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const sealift::net::Secret&, Context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
