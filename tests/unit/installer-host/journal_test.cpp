#include "installer/host/journal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sealift::installer {
namespace {

class JournalTest : public testing::Test {
 protected:
  JournalTest() : directory_(std::move(*TemporaryDirectory::create("sealift-journal"))) {}
  std::string root() const { return directory_.path().string(); }
  fs::path log() const { return directory_.path() / "var/lib/sealift/journal/log"; }
  std::unique_ptr<Journal> open() {
    auto journal = Journal::open(root());
    EXPECT_TRUE(journal) << (journal ? "" : journal.error().message());
    return std::move(*journal);
  }
  void put(const std::string& path, const std::string& text, unsigned mode = 0644) {
    ASSERT_TRUE(sealift::create_directories(fs::path(root() + path).parent_path()));
    ASSERT_TRUE(write_file_atomically(root() + path, text, mode));
  }
  std::string get(const std::string& path) { return read_file(root() + path, 1 << 20).value_or("(none)"); }

 private:
  TemporaryDirectory directory_;
};

TEST_F(JournalTest, LookingLeavesNoTrace) {
  const auto journal = open();
  EXPECT_FALSE(journal->owner());
  EXPECT_FALSE(journal->find("a"));
  EXPECT_FALSE(fs::exists(root() + "/var"));
}

TEST_F(JournalTest, RemembersStepsAcrossProcesses) {
  {
    const auto journal = open();
    ASSERT_TRUE(journal->begin("a", "run", "f1"));
    ASSERT_TRUE(journal->done("a", "run", "f1", {{"x", 1}}));
    ASSERT_TRUE(journal->begin("b", "run", "f2"));
  }
  const auto journal = open();
  EXPECT_EQ(journal->find("a")->event, StepRecord::Event::done);
  EXPECT_EQ(journal->find("a")->detail.at("x").as_int64(), 1);
  EXPECT_EQ(journal->find("b")->event, StepRecord::Event::begun);
  EXPECT_EQ(journal->find("b")->attempts, 1U);
  EXPECT_GT(journal->last_change({"b"}), journal->find("a")->done_sequence);
  EXPECT_EQ(journal->step_ids(), (std::vector<std::string>{"a", "b"}));
  struct stat info {};
  ASSERT_EQ(::stat(log().parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(JournalTest, CutsOffTheTraceOfACrashAndGoesOn) {
  {
    const auto journal = open();
    ASSERT_TRUE(journal->begin("a", "run", "f"));
  }
  const std::string whole = *read_file(log(), 1 << 20);
  ASSERT_TRUE(write_file_atomically(log(), whole + "0123456789abcdef {\"event\":\"done\",\"st", 0600));
  {
    const auto journal = open();
    EXPECT_EQ(journal->find("a")->event, StepRecord::Event::begun);
    ASSERT_TRUE(journal->done("a", "run", "f", {}));
  }
  EXPECT_EQ(open()->find("a")->event, StepRecord::Event::done);
}

TEST_F(JournalTest, RefusesADamagedLine) {
  {
    const auto journal = open();
    ASSERT_TRUE(journal->begin("a", "run", "f"));
    ASSERT_TRUE(journal->done("a", "run", "f", {}));
  }
  std::string text = *read_file(log(), 1 << 20);
  text[30] ^= 1;
  ASSERT_TRUE(write_file_atomically(log(), text, 0600));
  const auto journal = Journal::open(root());
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code(), ErrorCode::integrity);
  EXPECT_NE(journal.error().message().find("line 1"), std::string::npos) << journal.error().message();
}

TEST_F(JournalTest, BelongsToOneCluster) {
  ASSERT_TRUE(open()->claim({"prod", "id1"}));
  ASSERT_TRUE(open()->claim({"prod", "id1"}));
  const auto refused = open()->claim({"other", "id2"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
  EXPECT_NE(refused.error().message().find("prod"), std::string::npos);
}

TEST_F(JournalTest, BringsBackTheFirstOriginalOnly) {
  put("/etc/a.conf", "theirs", 0640);
  ASSERT_TRUE(open()->keep_original("/etc/a.conf"));
  put("/etc/a.conf", "ours 1");
  ASSERT_TRUE(open()->keep_original("/etc/a.conf"));
  put("/etc/a.conf", "ours 2");
  ASSERT_TRUE(open()->restore_original("/etc/a.conf"));
  EXPECT_EQ(get("/etc/a.conf"), "theirs");
  struct stat info {};
  ASSERT_EQ(::stat((root() + "/etc/a.conf").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
  EXPECT_FALSE(open()->original("/etc/a.conf"));
}

TEST_F(JournalTest, RemovesWhatWasNotThereAndRestoresLinks) {
  ASSERT_TRUE(open()->keep_original("/etc/new"));
  put("/etc/new", "ours");
  ASSERT_EQ(::symlink("/usr/lib/cni", (root() + "/etc/link").c_str()), 0);
  ASSERT_TRUE(open()->keep_original("/etc/link"));
  fs::remove(root() + "/etc/link");
  const auto journal = open();
  ASSERT_TRUE(journal->restore_original("/etc/new"));
  ASSERT_TRUE(journal->restore_original("/etc/link"));
  EXPECT_FALSE(fs::exists(root() + "/etc/new"));
  EXPECT_EQ(fs::read_symlink(root() + "/etc/link"), "/usr/lib/cni");
}

}  // namespace
}  // namespace sealift::installer
