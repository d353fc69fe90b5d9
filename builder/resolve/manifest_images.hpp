/// The images a Kubernetes manifest will pull.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift::builder {

struct ManifestImages {
  std::set<std::string> named;  ///< full references of `image:` members
  std::set<std::string>
      mentioned;  ///< found in arguments, commands and environment: full names with a tag or digest only
  std::set<std::string> unreadable;  ///< `image:` values outside of containers that are no image names
};

/// Reads a YAML stream of any number of documents, each at most 1 MiB. A container whose image is no valid
/// name (a template that was not filled in) is an error with its place: the manifest could not be applied.
Result<ManifestImages> find_images(std::string_view text, const std::string& file);

}  // namespace sealift::builder
