#include "lib/bundle/spec.hpp"

#include <cstdlib>
#include <set>

#include "lib/base/files.hpp"
#include "lib/oci/reference.hpp"

namespace bundle = sealift::bundle;

namespace {

void check_name(const std::string& name) {
  if (name.empty() || name.size() > 100 || name.find('/') != std::string::npos || name.front() == '.')
    std::abort();
}

bool is_url(const std::string& text) { return text.starts_with("https://") || text.starts_with("http://"); }

void check_sources(const bundle::Spec& spec) {
  for (const auto& image : spec.images) {
    if (!sealift::oci::Reference::parse(image.name)) std::abort();
  }
  for (const auto& file : spec.files) {
    if (!is_url(file.url) || (file.mode != 0644 && file.mode != 0755)) std::abort();
    if (!file.path.empty() && !sealift::is_confined_path(file.path)) std::abort();
  }
  for (const auto& manifest : spec.manifests) {
    check_name(manifest.name);
    if (manifest.url.empty() == manifest.file.empty()) std::abort();
  }
}

void check_package_sets(const bundle::Spec& spec) {
  std::set<std::string> targets;
  for (const auto& set : spec.package_sets) {
    check_name(set.target);
    if (!targets.insert(set.target).second || set.install.empty() || set.repositories.empty()) std::abort();
    for (const auto& repository : set.repositories) {
      if (!is_url(repository.url) || repository.suites.empty()) std::abort();
      for (const std::string& suite : repository.suites) {
        if (suite.ends_with('/') != repository.components.empty()) std::abort();
      }
    }
  }
}

}  // namespace

/// What a person wrote is accepted as the header promises, or refused with the place of the mistake.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mirrors = bundle::parse_mirrors(text, "fuzz.yaml");
  if (mirrors) {
    for (const auto& rule : *mirrors) {
      if (rule.from.empty() || rule.to.empty()) std::abort();
    }
  }
  const auto spec = bundle::parse_spec(text, "fuzz.yaml");
  if (!spec) {
    const sealift::Error& error = spec.error();
    if (error.code() != sealift::ErrorCode::invalid_argument || !error.message().starts_with("fuzz.yaml"))
      std::abort();
    return 0;
  }
  check_name(spec->name);
  check_name(spec->version);
  if (spec->platforms.empty()) std::abort();
  check_sources(*spec);
  check_package_sets(*spec);
  return 0;
}
