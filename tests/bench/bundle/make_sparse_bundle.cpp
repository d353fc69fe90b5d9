// Makes a signed bundle of any size that takes almost no disk: blobs are holes behind their first eight
// bytes.
//
// Usage: make_sparse_bundle OUTPUT.tar TOTAL_MEBIBYTES PRIVATE_KEY [BLOB_MEBIBYTES]
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "lib/bundle/signatures.hpp"
#include "tests/support/bundles.hpp"

namespace sealift {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

std::string first_bytes(std::uint64_t index) { return fmt::format("{:08}", index); }

Digest sparse_digest(std::uint64_t index, std::uint64_t size) {
  static const std::string zeros(kMiB, '\0');
  Hasher hasher;
  std::string block = zeros;
  block.replace(0, 8, first_bytes(index));
  hasher.update(as_bytes(block));
  for (std::uint64_t done = kMiB; done < size; done += kMiB) hasher.update(as_bytes(zeros));
  return hasher.finish();
}

Status make(const fs::path& path, std::uint64_t total_mebibytes, const fs::path& key_path,
            std::uint64_t blob_mebibytes) {
  TRY_ASSIGN(const PrivateKey key, PrivateKey::from_file(key_path));
  test::BundleRecipe recipe = test::small_bundle();
  const std::uint64_t size = blob_mebibytes * kMiB;
  std::map<Digest, std::uint64_t> indexes;
  for (std::uint64_t i = 0; i * blob_mebibytes < total_mebibytes; ++i) {
    const Digest digest = sparse_digest(i, size);
    recipe.lock().blobs.emplace(digest, bundle::LockedBlob{digest, size, "application/octet-stream", {}});
    recipe.lock().files.push_back({fmt::format("sparse/{:08}.bin", i), 0644, "", "", digest});
    indexes.emplace(digest, i);
  }
  TRY_ASSIGN(const bundle::Plan plan, recipe.plan());
  TRY_ASSIGN(const FileDescriptor file, open_file(path, O_RDWR | O_CREAT | O_EXCL));
  if (::ftruncate(file.get(), static_cast<off_t>(plan.contents.size)) != 0)
    return fail_errno(errno, path.string());
  for (const bundle::PlacedEntry& placed : plan.layout.entries) {
    TRY(write_exactly_at(file, placed.header_offset,
                         as_bytes(archive::tar_header(placed.entry, placed.header_offset))));
  }
  for (const bundle::HeldEntry& held : plan.held)
    TRY(write_exactly_at(file, held.offset, as_bytes(held.content)));
  for (const bundle::WantedBlob& wanted : plan.wanted) {
    const auto sparse = indexes.find(wanted.blob.digest);
    const std::string text =
        sparse == indexes.end() ? recipe.content(wanted.blob.bundled_digest()) : first_bytes(sparse->second);
    TRY(write_exactly_at(file, wanted.offset, as_bytes(text)));
  }
  std::vector<bundle::SignatureLine> lines;
  TRY(bundle::add_signature(lines, key, plan.contents_text));
  TRY_ASSIGN(const std::string slot, bundle::write_signatures(lines));
  return write_exactly_at(file, plan.signatures_offset, as_bytes(slot));
}

}  // namespace
}  // namespace sealift

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: make_sparse_bundle OUTPUT.tar TOTAL_MEBIBYTES PRIVATE_KEY [BLOB_MEBIBYTES]\n");
    return 2;
  }
  const std::uint64_t blob = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 64;
  const sealift::Status made = sealift::make(argv[1], std::strtoull(argv[2], nullptr, 10), argv[3], blob);
  if (!made) std::fprintf(stderr, "make_sparse_bundle: %s\n", made.error().message().c_str());
  return made ? 0 : 1;
}
