/// The only door from bytes to trust: a VerifiedBundle comes from verify_head(), and only that can be served
/// or installed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/progress.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/reader.hpp"
#include "lib/crypto/ed25519.hpp"

namespace sealift::bundle {

/// Whom we believe, and how many of them must have signed ("2 of 3").
struct TrustPolicy {
  std::vector<PublicKey> keys;
  unsigned threshold = 1;
};

/// A bundle whose signatures satisfy the policy and whose head is intact ("verify --quick").
/// Each blob is still to be checked before it is used: check_blob(), or verify_all() for everything.
class VerifiedBundle {
 public:
  const BundleFile& file() const { return *file_; }
  const Contents& contents() const { return file_->contents(); }
  /// Key ids of the trusted signers whose signatures hold.
  const std::vector<std::string>& signers() const { return signers_; }

  /// Reads the blob once and compares its digest; remembered, so later calls return at once. Thread-safe; two
  /// threads asking for one blob may both read it. ErrorCode::integrity when it differs or when the file
  /// changed since it was opened. `stop` ends the reading early (ErrorCode::interrupted); may be null.
  Status check_blob(const Digest& digest, const std::atomic<bool>* stop = nullptr) const;
  /// As check_blob, for the blob of a file; a compressed one is also decompressed and the file's digest and
  /// size compared. `file` may be of another bundle's contents: the blob counts.
  Status check_file(const FileEntry& file, const std::atomic<bool>* stop = nullptr) const;
  /// The bytes of a small blob, checked as they are read.
  Result<std::string> read_blob(const Digest& digest, std::uint64_t limit_bytes) const;
  /// True once check_blob (or verify_all) has found the blob intact.
  bool is_checked(const Digest& digest) const;
  /// True once check_file (or verify_all) has found the file intact.
  bool is_checked(const FileEntry& file) const;
  /// True once the blob, or the file compressed in it, could not be read or was found damaged.
  bool is_damaged(const Digest& digest) const;
  /// True once verify_all (or a record) has vouched for everything.
  bool is_all_checked() const;
  /// Marks all as checked: the caller remembers a full verification of exactly this file (see
  /// VerificationRecord).
  void trust_record() const;

 private:
  friend Result<std::shared_ptr<const VerifiedBundle>> verify_head(std::shared_ptr<const BundleFile>,
                                                                   const TrustPolicy&);
  friend Status verify_all(const VerifiedBundle&, Progress&, unsigned, const std::atomic<bool>*);
  struct Checked;
  /// Remembers what came of reading the blob, and passes it on.
  Status judge(const Digest& digest, Status read) const;
  VerifiedBundle() = default;
  std::shared_ptr<const BundleFile> file_;
  std::vector<std::string> signers_;
  std::shared_ptr<Checked> checked_;
};

/// Opens a bundle and does what verify_head() does, but checks the signatures before the table of contents
/// is parsed: nothing of a bundle that no trusted key has signed is read further.
Result<std::shared_ptr<const VerifiedBundle>> open_verified(const fs::path& path, const TrustPolicy& policy);

/// Signatures, table of contents, index.json, oci-layout and the program.
Result<std::shared_ptr<const VerifiedBundle>> verify_head(std::shared_ptr<const BundleFile> file,
                                                          const TrustPolicy& policy);

/// Every byte: all blobs by digest on `threads` threads, compressed files also by the digest of their
/// content, and every tar header, padding byte and the end of the archive against what the format prescribes.
/// Reports all damaged entries in one error, the first 20 by name. `stop` ends it early
/// (ErrorCode::interrupted); may be null.
Status verify_all(const VerifiedBundle& bundle, Progress& progress, unsigned threads,
                  const std::atomic<bool>* stop);

}  // namespace sealift::bundle
