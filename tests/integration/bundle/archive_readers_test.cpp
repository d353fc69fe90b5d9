// Every bundle must be readable by the tar programs people have.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/base/process.hpp"
#include "lib/bundle/reader.hpp"
#include "lib/bundle/signatures.hpp"
#include "lib/bundle/verify.hpp"
#include "lib/bundle/writer.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::bundle {
namespace {

const std::vector<std::pair<std::string, std::vector<std::string>>>& listers() {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> programs = {
      {"GNU tar", {"tar", "-tf"}},
      {"bsdtar", {"bsdtar", "-tf"}},
      {"Python", {"python3", "-c", "import sys,tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name)"}}};
  return programs;
}

std::string expected_listing(const Plan& plan) {
  std::string listing;
  for (const PlacedEntry& placed : plan.layout.entries) listing += placed.entry.path + "\n";
  return listing;
}

class ArchiveReaders : public testing::Test {
 protected:
  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-test");
  fs::path path_ = directory_.path() / "x.tar";
  PrivateKey key_ = *PrivateKey::generate();
};

TEST_F(ArchiveReaders, ListEveryEntryInOrderWithoutComplaint) {
  const test::BundleRecipe recipe = test::small_bundle();
  ASSERT_TRUE(recipe.write(path_, {&key_}));
  for (const auto& [name, command] : listers()) {
    std::vector<std::string> arguments = command;
    arguments.push_back(path_.string());
    const auto output = run_checked({.arguments = arguments});
    ASSERT_TRUE(output) << name << ": " << output.error().message();
    EXPECT_EQ(output->out, expected_listing(*recipe.plan())) << name;
    EXPECT_EQ(output->err, "") << name;
  }
}

TEST_F(ArchiveReaders, ExtractTheRightBytes) {
  ASSERT_TRUE(test::small_bundle().write(path_, {&key_}));
  const std::string blob = "blobs/sha256/" + digest_of("carried across\n").hex();
  for (const std::string program : {"tar", "bsdtar"}) {
    const auto output = run_checked({.arguments = {program, "-xOf", path_.string(), blob}});
    ASSERT_TRUE(output) << output.error().message();
    EXPECT_EQ(output->out, "carried across\n") << program;
  }
}

/// A bundle with an entry of more than 8 GiB, sparse on the disk: the hole reads as zeros, the entry's digest
/// is not right.
class HugeEntry : public ArchiveReaders {
 protected:
  static constexpr std::uint64_t kHuge = (9ULL << 30) + 12345;

  void SetUp() override {
    recipe_ = test::small_bundle();
    const Digest digest = digest_of("stands for nine gibibytes");
    recipe_.lock().blobs.emplace(digest, LockedBlob{digest, kHuge, "application/octet-stream", {}});
    recipe_.lock().files.push_back({"huge.bin", 0644, "", "", digest});
    const Digest after = digest_of("a later entry");
    recipe_.lock().blobs.emplace(after, LockedBlob{after, kHuge + 1, "application/octet-stream", {}});
    recipe_.lock().files.push_back({"later.bin", 0644, "", "", after});
    const Plan plan = *recipe_.plan();
    const FileDescriptor file = *open_file(path_, O_RDWR | O_CREAT);
    ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(plan.contents.size)), 0);
    for (const PlacedEntry& placed : plan.layout.entries) {
      ASSERT_TRUE(write_exactly_at(file, placed.header_offset,
                                   as_bytes(archive::tar_header(placed.entry, placed.header_offset))));
    }
    for (const HeldEntry& held : plan.held)
      ASSERT_TRUE(write_exactly_at(file, held.offset, as_bytes(held.content)));
    std::vector<SignatureLine> lines;
    ASSERT_TRUE(add_signature(lines, key_, plan.contents_text));
    ASSERT_TRUE(write_exactly_at(file, plan.signatures_offset, as_bytes(*write_signatures(lines))));
  }

  test::BundleRecipe recipe_;
};

TEST_F(HugeEntry, IsListedWithItsSizeByEveryReader) {
  const std::string last = "blobs/sha256/" + digest_of("a later entry").hex();
  for (const auto& [name, command] : listers()) {
    std::vector<std::string> arguments = command;
    arguments.push_back(path_.string());
    const auto output = run_checked({.arguments = arguments});
    ASSERT_TRUE(output) << name << ": " << output.error().message();
    EXPECT_THAT(output->out, testing::EndsWith(last + "\n")) << name << " lost its way after the huge entry";
  }
}

TEST_F(HugeEntry, HasAHeadThatVerifiesAtOnce) {
  const auto file = BundleFile::open(path_);
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_TRUE(verify_head(*file, {{key_.public_key()}, 1}));
}

}  // namespace
}  // namespace sealift::bundle
