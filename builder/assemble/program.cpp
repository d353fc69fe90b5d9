#include "builder/assemble/program.hpp"

#include <cstring>

#include <elf.h>

namespace sealift::builder {

namespace {

constexpr std::uint64_t kMaxProgramBytes = 256ULL << 20;

/// Copies a header out of the file's bytes; false when it would lie outside.
template <typename Header>
bool load(const std::string& content, std::uint64_t offset, Header& header) {
  if (offset > content.size() || content.size() - offset < sizeof header) return false;
  std::memcpy(&header, content.data() + offset, sizeof header);
  return true;
}

}  // namespace

Result<bundle::ProgramFile> read_program(const fs::path& path) {
  TRY_ASSIGN(std::string content, read_file(path, kMaxProgramBytes));
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                "{}: {}; give the static build of sealift (cmake --preset static) with --program",
                path.string(), why);
  };
  Elf64_Ehdr header{};
  if (!load(content, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64) {
    return refuse("not a 64-bit ELF program");
  }
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!load(content, header.e_phoff + i * header.e_phentsize, segment))
      return refuse("a damaged ELF program");
    if (segment.p_type == PT_INTERP) return refuse("linked against shared libraries");
  }
  if (header.e_machine == EM_X86_64) return bundle::ProgramFile{"amd64", std::move(content)};
  if (header.e_machine == EM_AARCH64) return bundle::ProgramFile{"arm64", std::move(content)};
  return refuse("for another machine than amd64 and arm64");
}

Result<fs::path> find_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path folder = self.parent_path();
  for (const fs::path& candidate :
       {folder / "sealift-static", folder.parent_path().parent_path() / "static/bin/sealift",
        folder.parent_path() / "lib/sealift/sealift-static"}) {
    if (fs::is_regular_file(candidate, error)) return candidate;
  }
  return fail(ErrorCode::not_found,
              "the static program that travels in the bundle was not found beside {}; build it (cmake "
              "--preset static) and give it "
              "with --program",
              self.string());
}

}  // namespace sealift::builder
