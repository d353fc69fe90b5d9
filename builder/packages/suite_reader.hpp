/// Reads the suites of upstream apt repositories, every byte checked from the OpenPGP signature down.
#pragma once

#include <string>
#include <vector>

#include "builder/packages/package_set.hpp"
#include "lib/bundle/spec.hpp"
#include "lib/pkgrepo/apt/packages.hpp"
#include "lib/pkgrepo/apt/release.hpp"

namespace sealift::builder {

/// A Release file whose signature is good.
struct VerifiedSuite {
  std::string repository_url;  ///< without '/' at the end; Filename is relative to it
  std::string base_url;        ///< with '/' at the end; index paths are relative to it
  std::string suite;
  std::vector<std::string> components;  ///< empty: a flat repository
  std::string evidence;                 ///< "openpgp <InRelease url> <fingerprint>"
  std::string release_url;
  pkgrepo::apt::Release release;
};

/// One Packages file of a verified suite.
struct LoadedIndex {
  std::string repository_url;
  std::string evidence;
  int priority = 500;
  pkgrepo::apt::PackageIndex index;
};

/// Fetches InRelease (or Release with Release.gpg where there is none) and checks signature, dates and suite.
/// A suite that ends in '/' is a flat repository, whose indexes lie in that folder.
Result<VerifiedSuite> read_suite(const bundle::RepositorySpec& repository, const std::string& suite,
                                 const openpgp::Keyring& keyring, const PackageSetContext& context);

/// Fetches and checks the Packages files of one architecture, those for Architecture: all included.
Result<std::vector<LoadedIndex>> read_indexes(const VerifiedSuite& suite, const std::string& architecture,
                                              const PackageSetContext& context);

}  // namespace sealift::builder
