/// Packages indexes and dpkg's status file: one stanza a package.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sealift::pkgrepo::apt {

enum class MultiArch { no, same, foreign, allowed };

/// As dpkg ranks them; unknown words count as extra.
enum class Priority { required, important, standard, optional, extra };

/// One package of an index or of a status file; points into the PackageIndex that holds it.
struct Package {
  std::string_view name;
  std::string_view version;
  std::string_view architecture;
  std::string_view source;  ///< name of the source package; the own name when there is no Source field
  std::string_view pre_depends;
  std::string_view depends;
  std::string_view recommends;
  std::string_view provides;
  std::string_view conflicts;
  std::string_view breaks;
  std::string_view filename;  ///< confined; empty in a status file
  std::string_view sha256;    ///< lower-case hex, or empty when the index gives none
  std::string_view stanza;    ///< the whole text
  std::uint64_t size = 0;
  MultiArch multi_arch = MultiArch::no;
  Priority priority = Priority::extra;
  bool essential = false;
};

/// Owns the text that its packages point into.
class PackageIndex {
 public:
  /// A Packages file, at most 512 MiB. Errors (ErrorCode::integrity, with the line): bad syntax, a package
  /// without a sound name, version or architecture, a Filename that leaves the repository, a Size or SHA256
  /// that is none.
  static Result<PackageIndex> parse_packages(std::string text, const std::string& what);

  /// /var/lib/dpkg/status: only packages that are installed (or wait for a trigger, which is installed
  /// enough).
  static Result<PackageIndex> parse_status(std::string text, const std::string& what);

  const std::vector<Package>& packages() const { return packages_; }

 private:
  std::unique_ptr<const std::string> text_;
  std::vector<Package> packages_;
};

inline constexpr std::uint64_t kMaxIndexBytes = 512ULL << 20;

/// The stanza without the fields that say where one repository keeps the package (Filename, Size, digests)
/// and without Phased-Update-Percentage, by which apt would hold back what the closure needs. Every line ends
/// in '\n'.
Result<std::string> portable_control(std::string_view stanza, const std::string& what);

}  // namespace sealift::pkgrepo::apt
