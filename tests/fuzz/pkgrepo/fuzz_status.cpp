#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/pkgrepo/apt/packages.hpp"
#include "lib/pkgrepo/apt/version.hpp"

namespace apt = sealift::pkgrepo::apt;

/// Every package that comes out has a sound name and version, and versions have an order.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto index =
      apt::PackageIndex::parse_status(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!index) return 0;
  for (const apt::Package& package : index->packages()) {
    if (!apt::is_package_name(package.name) || !apt::is_version(package.version)) std::abort();
    const auto& first = index->packages().front();
    const auto order = apt::compare_versions(package.version, first.version);
    if ((order < 0) != (apt::compare_versions(first.version, package.version) > 0)) std::abort();
  }
  return 0;
}
