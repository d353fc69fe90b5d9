#include "lib/bundle/sign.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "lib/bundle/signatures.hpp"

namespace sealift::bundle {

Result<SlotState> sign_in_place(const BundleFile& file, std::span<const PrivateKey> keys) {
  const std::string path = file.path().string();
  TRY_ASSIGN(auto lines, within(parse_signatures(file.signatures_text()), path));
  for (const PrivateKey& key : keys) TRY(add_signature(lines, key, file.contents_text()));
  TRY_ASSIGN(const std::string slot, write_signatures(lines));
  if (slot == file.signatures_text()) return SlotState{lines.size(), false};
  // The slot is one aligned page: it changes as a whole or not at all.
  TRY_ASSIGN(const FileDescriptor writable, open_file(file.path(), O_WRONLY));
  TRY(within(write_exactly_at(writable, file.signatures_offset(), as_bytes(slot)), path));
  if (::fsync(writable.get()) != 0) return fail_errno(errno, path);
  return SlotState{lines.size(), true};
}

}  // namespace sealift::bundle
