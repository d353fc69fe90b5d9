/// Platforms of images: "linux/amd64", "linux/arm64/v8" (OCI image-spec, image-index.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift::oci {

/// Operating system, architecture and variant in Go's names. "linux/arm64/v8" is the same as "linux/arm64",
/// "linux/arm/v7" as "linux/arm"; the variant that is implied is not stored.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  /// "os/architecture" or "os/architecture/variant"; letters, digits, '.', '_' and '-'.
  static Result<Platform> parse(std::string_view text);
  /// Folds other spellings (x86_64, aarch64) and drops an implied variant.
  static Platform of(std::string os, std::string architecture, std::string variant);

  std::string str() const;
  friend bool operator==(const Platform&, const Platform&) = default;
};

/// The platform of this very program: "linux/amd64".
Platform own_platform();

}  // namespace sealift::oci
