/// The Release file: what a suite holds, by digest (https://wiki.debian.org/DebianRepository/Format).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::pkgrepo::apt {

/// One index file of a suite.
struct IndexFile {
  Digest digest;  ///< sha256
  std::uint64_t size = 0;
};

struct Release {
  std::string origin;
  std::string label;
  std::string suite;
  std::string codename;
  std::string description;
  std::optional<Timestamp> date;
  std::optional<Timestamp> valid_until;
  std::vector<std::string> architectures;
  std::vector<std::string> components;
  bool acquire_by_hash = false;
  bool not_automatic = false;             ///< apt's priority 1 instead of 500 …
  bool but_automatic_upgrades = false;    ///< … or 100
  bool all_in_each_architecture = false;  ///< "No-Support-for-Architecture-all: Packages"
  std::map<std::string, IndexFile>
      files;  ///< by path relative to the Release file; only confined paths are kept
};

/// `text` is signed payload. Errors are ErrorCode::integrity: not one stanza, bad dates, no SHA256 list, a
/// bad line in it.
Result<Release> parse_release(std::string_view text, const std::string& what);

/// Refuses (ErrorCode::untrusted) a Release that expired before `now` or claims to come from more than a day
/// after it.
Status check_validity(const Release& release, Timestamp now, const std::string& what);

/// apt's default pin priority of a suite: 500, 100 or 1.
int pin_priority(const Release& release);

/// In Debian's field order; the same Release gives the same bytes. `files` sorted by path, "Date" in UTC.
std::string write_release(const Release& release);

}  // namespace sealift::pkgrepo::apt
