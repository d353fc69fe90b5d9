#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/pkgrepo/apt/packages.hpp"
#include "lib/pkgrepo/apt/repository.hpp"

namespace apt = sealift::pkgrepo::apt;

/// What is read from an index and written into ours must read the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto index =
      apt::PackageIndex::parse_packages(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!index) return 0;
  for (const apt::Package& package : index->packages()) {
    const auto control = apt::portable_control(package.stanza, "fuzz");
    if (!control) std::abort();
    const std::string path =
        apt::pool_path(package.source, package.name, package.version, package.architecture, package.filename);
    const auto written =
        apt::write_repository({{*control, path, package.size, sealift::digest_of("")}}, {"amd64"}, {}, "");
    if (!written) std::abort();
    for (const auto& file : *written) {
      if (!file.path.ends_with("/Packages")) continue;
      const auto again = apt::PackageIndex::parse_packages(file.content, "again");
      if (!again) std::abort();
      for (const apt::Package& copy : again->packages()) {
        if (copy.name != package.name || copy.version != package.version || copy.depends != package.depends)
          std::abort();
      }
    }
    if (&package - index->packages().data() > 8) break;
  }
  return 0;
}
