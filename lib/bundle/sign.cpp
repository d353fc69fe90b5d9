#include "lib/bundle/sign.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/bundle/layout.hpp"
#include "lib/bundle/signatures.hpp"

namespace sealift::bundle {

Result<SlotState> sign_in_place(const BundleFile& file, std::span<const PrivateKey> keys) {
  const std::string path = file.path().string();
  TRY_ASSIGN(const FileDescriptor writable, open_file(file.path(), O_RDWR));
  // Two who sign at once would each write the slot without the other.
  if (::flock(writable.get(), LOCK_EX) != 0) return fail_errno(errno, path);
  struct stat info {};
  if (::fstat(writable.get(), &info) != 0) return fail_errno(errno, path);
  if (info.st_dev != file.identity().device || info.st_ino != file.identity().inode)
    return fail(ErrorCode::conflict, "{}: another file has taken its name meanwhile; nothing was signed",
                path);
  std::string before(kSignatureSlotBytes, '\0');
  TRY(within(read_exactly_at(writable, file.signatures_offset(), std::as_writable_bytes(std::span(before))),
             path));
  TRY_ASSIGN(auto lines, within(parse_signatures(before), path));
  for (const PrivateKey& key : keys) TRY(add_signature(lines, key, file.contents_text()));
  TRY_ASSIGN(const std::string slot, write_signatures(lines));
  if (slot == before) return SlotState{lines.size(), false};
  // The slot is one aligned page: it changes as a whole or not at all.
  TRY(within(write_exactly_at(writable, file.signatures_offset(), as_bytes(slot)), path));
  if (::fsync(writable.get()) != 0) return fail_errno(errno, path);
  return SlotState{lines.size(), true};
}

}  // namespace sealift::bundle
