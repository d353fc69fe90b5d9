/// Stanzas of fields, the syntax of Release, Packages and dpkg's status file (deb822(5)).
///
///   Name: value            a field; names are compared without case
///    continuation          lines that begin with a blank belong to the field above
///   (empty line)           ends the stanza
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/ascii.hpp"
#include "lib/base/result.hpp"

namespace sealift::pkgrepo::apt {

struct Field {
  std::string_view name;
  std::string_view
      value;  ///< without blanks around it; continuation lines keep theirs and are separated by '\n'
};

/// One stanza; everything in it points into the text that was read.
struct Stanza {
  std::string_view text;  ///< its lines, the last one without its '\n'
  std::size_t line = 0;   ///< of the first field, from 1
  std::vector<Field> fields;

  /// Value of a field, or "" when the stanza has none of that name.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
};

/// Limits of what is read: a field name of 128 bytes, a stanza of 4 MiB and 512 fields.
class StanzaReader {
 public:
  /// `text` must outlive the reader and its stanzas; `what` names it in errors.
  StanzaReader(std::string_view text, std::string what) : rest_(text), what_(std::move(what)) {}

  /// The next stanza, or null at the end; the reader owns it and reuses it. Errors are ErrorCode::integrity
  /// with the line: no colon, a continuation before any field, a bad or repeated field name, a NUL byte, a
  /// limit passed.
  Result<const Stanza*> next();

 private:
  Status add_line(std::string_view line);

  std::string_view rest_;
  std::string what_;
  std::size_t line_ = 0;
  Stanza stanza_;
};

/// Splits at blanks and ends of line; no empty words.
std::vector<std::string_view> words(std::string_view text);

}  // namespace sealift::pkgrepo::apt
